/**
 * Protobuf messages whose lengths are right and whose fields are not: told twice, left out, in another order,
 * with other numbers, or with content that belongs elsewhere. What only breaks lengths seldom comes so far.
 */
import fc from "fast-check";
import { boundaries, damaged, varint } from "./damage.ts";

/** A field as it stands in a message. */
interface Field {
  readonly number: number;
  readonly wireType: 0 | 1 | 2 | 5;
  /** Of a number its bytes, of anything with a length the content without that. */
  readonly content: Uint8Array;
}

interface Reform {
  readonly kind: "repeat" | "drop" | "last" | "number" | "content" | "unknown" | "enter" | "renumber";
  /** Which field, modulo their count. */
  readonly at: number;
  readonly value: bigint;
  readonly times: number;
}

const reform: fc.Arbitrary<Reform> = fc.record({
  kind: fc.constantFrom<Reform["kind"][]>(
    "repeat",
    "drop",
    "last",
    "number",
    "number",
    "content",
    "unknown",
    "renumber",
    "enter",
    "enter",
    "enter",
  ),
  at: fc.nat(40),
  value: fc.oneof(fc.constantFrom(...boundaries), fc.bigInt({ min: 0n, max: 300n })),
  times: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 1500 })),
});

/** Messages that `valid` gives, with some of their fields changed, or their bytes. */
export function damagedMessage(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Buffer> {
  const reformed = fc
    .tuple(valid, valid, fc.array(reform, { minLength: 1, maxLength: 5 }))
    .map(([bytes, other, reforms]) => reformedBy(bytes, reforms, other));
  return fc.oneof(reformed, damaged(valid));
}

/** Each reform that enters has those after it happen to the message inside. */
function reformedBy(bytes: Uint8Array, reforms: readonly Reform[], other: Uint8Array): Buffer {
  const fields = fieldsOf(bytes);
  const [first, ...rest] = reforms;
  if (fields === undefined || first === undefined) return Buffer.from(bytes);
  const at = fields.length === 0 ? 0 : first.at % fields.length;
  const before = fields.slice(0, at);
  const after = fields.slice(at + 1);
  const field = fields[at];
  if (first.kind === "enter" && field?.wireType === 2) {
    const content = reformedBy(field.content, rest, other);
    return encoded([...before, { ...field, content }, ...after]);
  }
  const changed = encoded([...before, ...insteadOf(field, first, other), ...after]);
  return first.kind === "last" && field !== undefined
    ? reformedBy(encoded([...before, ...after, field]), rest, other)
    : reformedBy(changed, rest, other);
}

function insteadOf(field: Field | undefined, by: Reform, other: Uint8Array): readonly Field[] {
  const there = field === undefined ? [] : [field];
  switch (by.kind) {
    case "repeat":
      return Array.from({ length: by.times }, () => there).flat();
    case "drop":
      return [];
    case "number":
      return there.map((one) => ({ ...one, content: ofWireType(one.wireType, by.value) }));
    case "content":
      return there.map((one) => (one.wireType === 2 ? { ...one, content: other } : one));
    case "renumber":
      return there.map((one) => ({ ...one, number: Number(by.value % 20n) + 1 }));
    case "unknown":
      return [...there, { number: Number(by.value % 2n ** 29n) + 1, wireType: 0, content: varint(by.value) }];
    case "last":
    case "enter":
      return there;
  }
}

function ofWireType(wireType: Field["wireType"], value: bigint): Uint8Array {
  if (wireType === 0) return varint(value);
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  if (wireType === 1) return bytes;
  return wireType === 5 ? bytes.subarray(0, 4) : Buffer.alloc(Number(value % 300n), 0x41);
}

/** Undefined if the bytes are no message. */
function fieldsOf(bytes: Uint8Array): readonly Field[] | undefined {
  const fields: Field[] = [];
  let at = 0;
  const takeNumber = (): bigint | undefined => {
    let value = 0n;
    for (let shift = 0n; shift < 70n && at < bytes.length; shift += 7n) {
      const byte = bytes[at] ?? 0;
      at += 1;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
    return undefined;
  };
  while (at < bytes.length) {
    const tag = takeNumber();
    if (tag === undefined || tag < 8n || tag >= 2n ** 32n) return undefined;
    const number = Number(tag >> 3n);
    const wireType = Number(tag & 7n);
    const start = at;
    if (wireType === 0) {
      if (takeNumber() === undefined) return undefined;
      fields.push({ number, wireType, content: bytes.subarray(start, at) });
    } else if (wireType === 1 || wireType === 5) {
      at += wireType === 1 ? 8 : 4;
      fields.push({ number, wireType, content: bytes.subarray(start, at) });
    } else if (wireType === 2) {
      const length = takeNumber();
      if (length === undefined || length > BigInt(bytes.length - at)) return undefined;
      fields.push({ number, wireType, content: bytes.subarray(at, at + Number(length)) });
      at += Number(length);
    } else return undefined;
    if (at > bytes.length) return undefined;
  }
  return fields;
}

function encoded(fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.flatMap(({ number, wireType, content }) => {
      const tag = varint(BigInt(number) * 8n + BigInt(wireType));
      return wireType === 2 ? [tag, varint(BigInt(content.length)), content] : [tag, content];
    }),
  );
}
