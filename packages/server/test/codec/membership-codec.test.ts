import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { MembershipSchema } from "@dkv/protocol/dkv/peer/v1/peer";
import { nodeId } from "@dkv/raft";
import fc from "fast-check";
import { DecodeError } from "../../src/codec/decode-error.ts";
import {
  decodeMembership,
  encodeMembership,
  maxMemberRows,
  type MemberRow,
} from "../../src/codec/membership-codec.ts";

const row = (number: number, overrides: Partial<MemberRow> = {}): MemberRow => ({
  id: nodeId(BigInt(number)),
  name: `dkv-${String(number)}`,
  peerAddress: `host-${String(number)}:2380`,
  replaces: undefined,
  incarnation: 7n,
  ...overrides,
});

/** As somebody else might write it. */
function foreign(rows: readonly MemberRow[]): Uint8Array {
  return toBinary(
    MembershipSchema,
    create(MembershipSchema, {
      members: rows.map(({ id, name, peerAddress }) => ({ id, name, peerAddress })),
    }),
  );
}

const ids = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }).map((id) => nodeId(id));

describe("a membership table", () => {
  it("is the same after encoding and decoding, in the same order", () => {
    const rows = fc.uniqueArray(
      fc.record(
        {
          id: ids,
          name: fc.string({ unit: "binary", minLength: 1, maxLength: 60 }),
          peerAddress: fc.constantFrom("localhost:1", "[::1]:65535", "a.example:2380"),
          replaces: fc.option(ids, { nil: undefined }),
          incarnation: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        },
        { noNullPrototype: true },
      ),
      { selector: ({ id }) => id, maxLength: 20 },
    );
    fc.assert(
      fc.property(rows, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (table, history) => {
        const membership = { rows: table, history };
        assert.deepEqual(decodeMembership(encodeMembership(membership)), membership);
      }),
      { numRuns: 30 },
    );
  });

  it("may have as many rows as the limit says, with the longest names and addresses", () => {
    const long = { name: "n".repeat(255), peerAddress: `${"h".repeat(254)}:65535` };
    const rows = Array.from({ length: maxMemberRows }, (_, number) => row(number + 1, long));
    assert.deepEqual(decodeMembership(encodeMembership({ rows, history: 0n })).rows, rows);
  });

  const many = Array.from({ length: maxMemberRows + 1 }, (_, number) => row(number + 1));
  const mistakes: readonly (readonly [string, readonly MemberRow[], RegExp])[] = [
    ["too many rows", many, /more than 1024 rows/],
    ["a member without an id", [row(0)], /no id/],
    ["one id twice", [row(1), row(2), row(1, { name: "other" })], /the same id/],
    ["a member without a name", [row(1, { name: "" })], /name is empty/],
    ["a name that is too long", [row(1, { name: "é".repeat(128) })], /more than 255 bytes/],
    ["a member without an address", [row(1, { peerAddress: "" })], /peer address is empty/],
    ["an address that is too long", [row(1, { peerAddress: `${"h".repeat(255)}:65535` })], /more than 260/],
    ["an address that cannot be dialled", [row(1, { peerAddress: "host" })], /write HOST:PORT/],
    ["a port that is none", [row(1, { peerAddress: "host:65536" })], /write HOST:PORT/],
  ];
  for (const [name, rows, reason] of mistakes) {
    it(`is neither read nor written with ${name}`, () => {
      const isRefused = (error: unknown) => error instanceof DecodeError && reason.test(error.message);
      assert.throws(() => decodeMembership(foreign(rows)), isRefused);
      assert.throws(() => encodeMembership({ rows, history: 0n }), isRefused);
    });
  }

  it("is not read when it is cut short anywhere but between two rows", () => {
    const whole = encodeMembership({ rows: [row(1), row(2)], history: 0n });
    for (let length = 1; length < whole.length; length += 1) {
      if (length === whole.length / 2) continue;
      assert.throws(() => decodeMembership(whole.subarray(0, length)), DecodeError, String(length));
    }
  });
});
