/**
 * Tags of protobuf fields: a field's number times eight plus its wire type, which is 0 for numbers, 1 for
 * eight bytes, 2 for whatever has a length.
 */
export const number1 = 8;
export const number2 = 16;
export const number3 = 24;
export const number4 = 32;
export const eightBytes1 = 9;
export const eightBytes2 = 17;
export const eightBytes4 = 33;
export const message1 = 10;
export const message2 = 18;
export const message3 = 26;
export const message5 = 42;
export const message6 = 50;
