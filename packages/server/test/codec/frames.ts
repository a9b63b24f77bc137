/** Frames of every sort, and their bytes. */
import assert from "node:assert/strict";
import { fromJson, toBinary } from "@bufbuild/protobuf";
import { FrameSchema } from "@dkv/protocol/dkv/peer/v1/peer";
import { type Entry, type Message, logIndex, nodeId, readContext, term } from "@dkv/raft";
import fc from "fast-check";
import { encodeFrame } from "../../src/codec/raft-encoder.ts";
import type { PeerFrame } from "../../src/transport/peer-transport.ts";

/** Terms and indices go no further. */
export const max = 2 ** 52;
export const route = { from: nodeId(0x8000_0000_0000_0001n), to: nodeId(2n) };
export const emptyFrame: PeerFrame = {
  messages: [],
  forwarded: [],
  forwardedTerm: term(0),
  refusals: [],
  requests: [],
  responses: [],
};

const count = fc.bigInt({ min: 0n, max: BigInt(max) }).map(Number);
const index = fc.oneof(fc.nat(), count).map((value) => logIndex(value));
const aTerm = fc.oneof(fc.nat(20), count).map((value) => term(value));
const context = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }).map((value) => readContext(value));
const optionalRound = fc.option(fc.integer({ min: 1, max: 2 ** 40 }), { nil: undefined });
/** Plain objects, as decoding makes them. */
const record = <Shape>(shape: { [Field in keyof Shape]: fc.Arbitrary<Shape[Field]> }) =>
  fc.record(shape, { noNullPrototype: true });
const bytes = fc.uint8Array({ maxLength: 300 });
const entryId = record({ term: aTerm, index });
const envelope = { from: fc.constant(route.from), to: fc.constant(route.to), term: aTerm };
const kind = <Name extends Message["kind"]>(name: Name) => ({ kind: fc.constant(name), ...envelope });

const appendEntries = fc
  .tuple(
    fc.nat(2 ** 40),
    aTerm,
    fc.array(
      record({ step: fc.nat(3), kind: fc.constantFrom("empty", "command", "configuration"), data: bytes }),
    ),
    index,
  )
  .filter(([, prevTerm]) => prevTerm < max - 1000)
  .map(([prevIndex, prevTerm, drafts, commit]): Message => {
    let last = { term: prevTerm, index: logIndex(prevIndex) };
    const entries = drafts.map(({ step, kind: entryKind, data }): Entry => {
      last = { term: term(last.term + step), index: logIndex(last.index + 1) };
      return { ...last, kind: entryKind, data };
    });
    return {
      kind: "appendEntries",
      ...route,
      term: last.term,
      prev: { term: prevTerm, index: logIndex(prevIndex) },
      entries,
      commit,
    };
  });

const message: fc.Arbitrary<Message> = fc.oneof(
  appendEntries,
  record({ ...kind("preVoteRequest"), lastEntry: entryId }),
  record({ ...kind("preVoteResponse"), granted: fc.boolean() }),
  record({ ...kind("voteRequest"), lastEntry: entryId, leadershipTransfer: fc.boolean() }),
  record({ ...kind("voteResponse"), granted: fc.boolean() }),
  record({ ...kind("appendAccepted"), match: index }),
  record({ ...kind("appendRejected"), prevIndex: index, hint: entryId }),
  record({ ...kind("heartbeat"), commit: index, readRound: optionalRound }),
  record({ ...kind("heartbeatResponse"), readRound: optionalRound }),
  record(kind("timeoutNow")),
  record({ ...kind("readIndexRequest"), context }),
  record({ ...kind("readIndexResponse"), context, index }),
);

const requests = fc.array(record({ id: count, body: bytes }), { maxLength: 5 });

export const frame: fc.Arbitrary<PeerFrame> = record({
  messages: fc.array(message, { maxLength: 5 }),
  forwarded: fc.array(bytes, { maxLength: 5 }),
  forwardedTerm: aTerm,
  refusals: fc.array(
    record({
      proposer: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      sequence: fc.nat(0xffff_ffff),
      term: aTerm,
      code: fc.constantFrom("notLeader", "overloaded", "stopping", "diskFull"),
    }),
    { maxLength: 5 },
  ),
  requests,
  responses: requests,
});

/** What follows the length header, after checking that the header is right. */
export function payload(value: PeerFrame): Buffer {
  const encoded = encodeFrame(value);
  assert.equal(encoded.readUInt32BE(), encoded.length - 4);
  return encoded.subarray(4);
}

/** As protobuf-es writes it: for frames that our own encoder would never write. */
export function foreign(json: Parameters<typeof fromJson>[1]): Uint8Array {
  return toBinary(FrameSchema, fromJson(FrameSchema, json));
}
