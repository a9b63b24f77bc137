import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { DeleteResponseSchema, GetResponseSchema, SetResponseSchema } from "@dkv/protocol/dkv/v1/dkv";
import { logIndex, nodeId, term } from "@dkv/raft";
import fc from "fast-check";
import { type AnswerHeader, deleteResponse, getResponse, setResponse } from "../../src/api/dkv-v1/answers.ts";
import { FrameEncoder } from "../../src/api/dkv-v1/frames.ts";
import { frame } from "./raw-http2.ts";

const count = fc.oneof(
  fc.maxSafeNat(),
  fc.nat(300),
  fc.nat(),
  fc.constantFrom(0, 0x7f, 0x80, 2 ** 31 - 1, 2 ** 31, 2 ** 53 - 1),
);
const bytes = fc.uint8Array({ maxLength: 300 });
const header: fc.Arbitrary<AnswerHeader> = fc
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

describe("frames of answers", () => {
  // One encoder for all, as in production: what it remembers of one answer must not show in the next.
  const frames = new FrameEncoder();

  it("have the bytes that protobuf-es would write", () => {
    const found = fc.record({
      key: bytes,
      value: bytes,
      createRevision: count,
      modRevision: count,
      version: count,
    });
    fc.assert(
      fc.property(header, found, fc.boolean(), (header, found, deleted) => {
        const get = toBinary(GetResponseSchema, create(GetResponseSchema, getResponse({ header, found })));
        assert.deepEqual(frames.get({ header, found }), frame(get));
        const set = toBinary(SetResponseSchema, create(SetResponseSchema, setResponse({ header })));
        assert.deepEqual(frames.set({ header }), frame(set));
        const deleteBytes = toBinary(
          DeleteResponseSchema,
          create(DeleteResponseSchema, deleteResponse({ header, deleted })),
        );
        assert.deepEqual(frames.delete({ header, deleted }), frame(deleteBytes));
      }),
      { numRuns: 500 },
    );
  });
});
