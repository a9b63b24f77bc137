/** Answers of the text protocol. Every line ends with CR LF, as does a value. */
const lineEnd = Buffer.from("\r\n");

const line = (text: string): Buffer => Buffer.from(`${text}\r\n`, "latin1");

export const textAnswers = {
  mistaken: line("ERR_CMD_ERR"),
  notFound: line("ERR_NOT_FOUND"),
  version: line("ERR_VERSION"),
  internal: line("ERR_INTERNAL"),
  deleted: line("DELETED"),
} as const;

export function okAnswer(version: number): Buffer {
  return line(`OK ${String(version)}`);
}

/** @param facts what stands before the length */
export function valueAnswer(facts: string, value: Uint8Array): readonly Buffer[] {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return [line(`VALUE ${facts}${String(bytes.length)}`), bytes, lineEnd];
}

/** @param leader its name; what is no letter, digit or -_.!~*'() in it is escaped as in a URL */
export function redirectAnswer(leader: string): Buffer {
  return line(`REDIRECT ${encodeURIComponent(leader)}`);
}
