/** Answers as any member might give them. */
import { logIndex, nodeId, term } from "@dkv/raft";
import type { KeyValue } from "@dkv/store";
import fc from "fast-check";
import type { AnswerHeader } from "../../src/api/dkv-v1/answers.ts";

export const count = fc.oneof(
  fc.maxSafeNat(),
  fc.nat(300),
  fc.nat(),
  fc.constantFrom(0, 0x7f, 0x80, 2 ** 31 - 1, 2 ** 31, 2 ** 53 - 1),
);
export const bytes = fc.uint8Array({ maxLength: 300 });
export const header: fc.Arbitrary<AnswerHeader> = fc
  .record({
    revision: count,
    clusterId: fc.bigInt(0n, 2n ** 64n - 1n),
    memberId: fc.bigInt(0n, 2n ** 64n - 1n),
    leader: fc.string({ unit: "grapheme", maxLength: 60 }),
    term: count,
    applied: count,
  })
  .map(({ revision, clusterId, memberId, leader, term: number, applied }) => ({
    revision,
    status: {
      clusterId,
      memberId: nodeId(memberId),
      name: "one",
      role: "follower",
      term: term(number),
      leader,
      leaderId: undefined,
      appliedIndex: logIndex(applied),
      revision,
      isCorrupt: false,
    },
  }));

export const found: fc.Arbitrary<KeyValue> = fc.record({
  key: fc.oneof(
    bytes,
    fc.string({ unit: "grapheme", maxLength: 60 }).map((text) => Buffer.from(text)),
  ),
  value: bytes,
  createRevision: count,
  modRevision: count,
  version: count,
  lease: fc.oneof(fc.constant(0n), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
});
