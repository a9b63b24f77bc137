/** Bytes that are nearly right: what was encoded properly, and then cut, flipped, spliced or inflated. */
import fc from "fast-check";

/** Where something happens, as a part of the whole: so it stays where it is while the rest shrinks. */
const place = fc.oneof(fc.nat(64), fc.nat(0xffff));
const length = fc.oneof(fc.nat(8), fc.nat(400));

/** Where counts, lengths and ids change their form or their meaning. */
export const boundaries: readonly bigint[] = [
  0n,
  1n,
  0x7fn,
  0x80n,
  0xffn,
  0x3fffn,
  0xffffn,
  2n ** 24n - 1n,
  2n ** 26n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 52n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
];

type Edit =
  | { readonly kind: "cut"; readonly at: number }
  | { readonly kind: "drop"; readonly at: number; readonly length: number }
  | { readonly kind: "flip"; readonly at: number; readonly bit: number }
  | { readonly kind: "set"; readonly at: number; readonly byte: number }
  | { readonly kind: "insert"; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: "repeat"; readonly at: number; readonly length: number; readonly times: number }
  | { readonly kind: "number"; readonly at: number; readonly bytes: Uint8Array }
  /** Everything from a place on becomes that of another message, from some place on. */
  | { readonly kind: "splice"; readonly at: number; readonly from: number };

/** Of a fixed width, in either order, and as protobuf writes it. */
function forms(value: bigint): readonly Uint8Array[] {
  return [1, 2, 3, 4, 8].flatMap((width) => {
    const low = BigInt.asUintN(8 * width, value);
    const bytes = Buffer.from(low.toString(16).padStart(2 * width, "0"), "hex");
    return [bytes, Uint8Array.from(bytes).reverse()];
  });
}

/** As protobuf writes numbers. */
export function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    if (rest < 128n) return Uint8Array.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 127n) | 128);
  }
}

const numbers = boundaries.flatMap((value) => [varint(value), ...forms(value)]);

const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ kind: fc.constant("cut"), at: place }),
  fc.record({ kind: fc.constant("drop"), at: place, length }),
  fc.record({ kind: fc.constant("flip"), at: place, bit: fc.nat(7) }),
  fc.record({ kind: fc.constant("set"), at: place, byte: fc.constantFrom(0, 1, 0x7f, 0x80, 0xff) }),
  fc.record({ kind: fc.constant("insert"), at: place, bytes: fc.uint8Array({ maxLength: 12 }) }),
  fc.record({ kind: fc.constant("repeat"), at: place, length, times: fc.integer({ min: 1, max: 60 }) }),
  fc.record({ kind: fc.constant("number"), at: place, bytes: fc.constantFrom(...numbers) }),
  fc.record({ kind: fc.constant("splice"), at: place, from: place }),
);

function applied(bytes: Buffer, one: Edit, other: Uint8Array): Buffer {
  const at = bytes.length === 0 ? 0 : one.at % (bytes.length + 1);
  const before = bytes.subarray(0, at);
  const after = bytes.subarray(at);
  switch (one.kind) {
    case "cut":
      return before;
    case "drop":
      return Buffer.concat([before, after.subarray(one.length)]);
    case "flip":
      return overwritten(bytes, at, Uint8Array.of((bytes[at] ?? 0) ^ (1 << one.bit)));
    case "set":
      return overwritten(bytes, at, Uint8Array.of(one.byte));
    case "insert":
      return Buffer.concat([before, one.bytes, after]);
    case "repeat": {
      const part = after.subarray(0, one.length);
      return Buffer.concat([before, ...Array.from({ length: one.times }, () => part), after]);
    }
    case "number":
      return overwritten(bytes, at, one.bytes);
    case "splice":
      return Buffer.concat([before, other.subarray(one.from % (other.length + 1))]);
  }
}

/** What stands beyond the end is left out. */
function overwritten(bytes: Buffer, at: number, by: Uint8Array): Buffer {
  const changed = Buffer.from(bytes);
  changed.set(by.subarray(0, bytes.length - at), at);
  return changed;
}

/**
 * What `valid` gives, with up to four injuries; now and then none, or noise that was never valid. The
 * numbers that take the place of others are those at which lengths and counts overflow.
 */
export function damaged(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Buffer> {
  const injured = fc
    .tuple(valid, valid, fc.array(edit, { maxLength: 4 }))
    .map(([bytes, other, edits]) =>
      edits.reduce<Buffer>((changed, one) => applied(changed, one, other), Buffer.from(bytes)),
    );
  const noise = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes));
  return fc.oneof({ weight: 12, arbitrary: injured }, { weight: 1, arbitrary: noise });
}

/** The bytes in pieces, as a connection may bring them; together they are all of it. */
export function inPieces(bytes: fc.Arbitrary<Buffer>): fc.Arbitrary<readonly Buffer[]> {
  const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 700 })), {
    maxLength: 40,
  });
  return fc.tuple(bytes, sizes).map(([whole, lengths]) => {
    const pieces: Buffer[] = [];
    let at = 0;
    for (const size of lengths) {
      if (at >= whole.length) break;
      pieces.push(whole.subarray(at, at + size));
      at += size;
    }
    return at < whole.length ? [...pieces, whole.subarray(at)] : pieces;
  });
}
