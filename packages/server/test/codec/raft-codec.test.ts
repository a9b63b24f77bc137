import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fromBinary, fromJson, toBinary, toJson } from "@bufbuild/protobuf";
import { FrameSchema, RaftMessageSchema } from "@dkv/protocol/dkv/peer/v1/peer";
import { type Entry, type Message, logIndex, nodeId, readContext, term } from "@dkv/raft";
import fc from "fast-check";
import { DecodeError } from "../../src/codec/decode-error.ts";
import { decodeFrame } from "../../src/codec/raft-decoder.ts";
import { encodeFrame } from "../../src/codec/raft-encoder.ts";
import type { PeerFrame } from "../../src/transport/peer-transport.ts";

/** Terms and indices go no further. */
const max = 2 ** 52;
const route = { from: nodeId(0x8000_0000_0000_0001n), to: nodeId(2n) };
const emptyFrame: PeerFrame = { messages: [], forwarded: [], forwardedTerm: term(0), refusals: [] };

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

const frame: fc.Arbitrary<PeerFrame> = record({
  messages: fc.array(message, { maxLength: 5 }),
  forwarded: fc.array(bytes, { maxLength: 5 }),
  forwardedTerm: aTerm,
  refusals: fc.array(
    record({
      proposer: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      sequence: fc.nat(0xffff_ffff),
      term: aTerm,
      code: fc.constantFrom("notLeader", "overloaded", "stopping"),
    }),
    { maxLength: 5 },
  ),
});

/** What follows the length header, after checking that the header is right. */
function payload(value: PeerFrame): Buffer {
  const encoded = encodeFrame(value);
  assert.equal(encoded.readUInt32BE(), encoded.length - 4);
  return encoded.subarray(4);
}

/** As protobuf-es writes it: for frames that our own encoder would never write. */
function foreign(json: Parameters<typeof fromJson>[1]): Uint8Array {
  return toBinary(FrameSchema, fromJson(FrameSchema, json));
}

describe("a frame", () => {
  it("is the same after encoding and decoding", () => {
    fc.assert(
      fc.property(frame, (value) => {
        assert.deepEqual(decodeFrame(new Uint8Array(payload(value)), route), value);
      }),
    );
  });

  it("has the very bytes that protobuf-es writes, and nothing that it does not know", () => {
    fc.assert(
      fc.property(frame, (value) => {
        const encoded = payload(value);
        const read = fromBinary(FrameSchema, encoded);
        assert.deepEqual(
          Buffer.from(toBinary(FrameSchema, read, { writeUnknownFields: false })),
          Buffer.from(encoded),
        );
      }),
    );
  });

  it("means to protobuf-es what it means to us", () => {
    const value: PeerFrame = {
      messages: [
        {
          kind: "appendEntries",
          ...route,
          term: term(7),
          prev: { term: term(5), index: logIndex(41) },
          entries: [
            { term: term(6), index: logIndex(42), kind: "empty", data: new Uint8Array() },
            { term: term(7), index: logIndex(43), kind: "command", data: Uint8Array.of(1, 2, 3) },
          ],
          commit: logIndex(max),
        },
        {
          kind: "voteRequest",
          ...route,
          term: term(8),
          lastEntry: { term: term(1), index: logIndex(2) },
          leadershipTransfer: true,
        },
        {
          kind: "heartbeat",
          ...route,
          term: term(8),
          commit: logIndex(3),
          readRound: 2 ** 40,
        },
      ],
      forwarded: [Uint8Array.of(255)],
      forwardedTerm: term(8),
      refusals: [{ proposer: 2n ** 63n, sequence: 9, term: term(7), code: "notLeader" }],
    };
    const ends = { from: "9223372036854775809", to: "2" };
    assert.deepEqual(toJson(FrameSchema, fromBinary(FrameSchema, payload(value))), {
      messages: [
        {
          ...ends,
          term: "7",
          appendEntries: {
            prev: { term: "5", index: "41" },
            entries: [
              { term: "6", kind: "ENTRY_KIND_EMPTY" },
              { term: "7", kind: "ENTRY_KIND_COMMAND", data: "AQID" },
            ],
            commit: "4503599627370496",
          },
        },
        {
          ...ends,
          term: "8",
          voteRequest: { lastEntry: { term: "1", index: "2" }, leadershipTransfer: true },
        },
        { ...ends, term: "8", heartbeat: { commit: "3", readRound: "1099511627776" } },
      ],
      forwarded: ["/w=="],
      forwardedTerm: "8",
      refusals: [{ proposer: "9223372036854775808", sequence: 9, term: "7", code: "not_leader" }],
    });
  });

  it("lends its bytes to entries and forwarded commands instead of copying them", () => {
    const entry: Entry = { term: term(1), index: logIndex(1), kind: "command", data: Uint8Array.of(1, 2, 3) };
    const append: Message = {
      kind: "appendEntries",
      ...route,
      term: term(1),
      prev: { term: term(0), index: logIndex(0) },
      entries: [entry],
      commit: logIndex(0),
    };
    const encoded = payload({ ...emptyFrame, messages: [append], forwarded: [Uint8Array.of(9)] });
    const decoded = decodeFrame(encoded, route);
    assert.equal(decoded.forwarded[0]?.buffer, encoded.buffer);
    assert.ok(
      decoded.messages[0]?.kind === "appendEntries" &&
        decoded.messages[0].entries[0]?.data.buffer === encoded.buffer,
    );
  });

  it("passes over fields of a later version", () => {
    const known = { ...emptyFrame, forwarded: [Uint8Array.of(1)] };
    const later = [
      0x28, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x35, 1, 2, 3, 4, 0x39, 1, 2, 3, 4, 5,
      6, 7, 8, 0x42, 2, 1, 2,
    ];
    assert.deepEqual(decodeFrame(new Uint8Array([...payload(known), ...later]), route), known);
  });

  it("does not take a field with a large number for one that it knows", () => {
    const timeoutNow: Message = { kind: "timeoutNow", ...route, term: term(5) };
    const [message] = fromBinary(FrameSchema, payload({ ...emptyFrame, messages: [timeoutNow] })).messages;
    assert.ok(message !== undefined);
    // The tag 2^32 + 34: in 32 bits, that of a PreVoteRequest.
    const later = [0xa2, 0x80, 0x80, 0x80, 0x10, 1, 0];
    const bytes = [...toBinary(RaftMessageSchema, message), ...later];
    assert.deepEqual(decodeFrame(Uint8Array.of(10, bytes.length, ...bytes), route).messages, [timeoutNow]);
  });
});

describe("a frame that makes no sense", () => {
  const ends = { from: "9223372036854775809", to: "2", term: "5" };
  const beyond = String(max + 1);
  const cases: readonly (readonly [string, Parameters<typeof foreign>[0], RegExp])[] = [
    ["from somebody else", { messages: [{ ...ends, from: "3", timeoutNow: {} }] }, /sender or receiver/],
    ["for somebody else", { messages: [{ ...ends, to: "3", timeoutNow: {} }] }, /sender or receiver/],
    ["a message of no kind", { messages: [ends] }, /no known kind/],
    [
      "a number above 2^53-1",
      { messages: [{ ...ends, appendAccepted: { match: "9007199254740992" } }] },
      /above 2\^53-1/,
    ],
    [
      "a term of 64 bits",
      { messages: [{ ...ends, term: "18446744073709551615", timeoutNow: {} }] },
      /above 2\^53-1/,
    ],
    ["a term above 2^52", { messages: [{ ...ends, term: beyond, timeoutNow: {} }] }, /above 2\^52/],
    ["an index above 2^52", { messages: [{ ...ends, appendAccepted: { match: beyond } }] }, /above 2\^52/],
    [
      "a commit index above 2^52",
      { messages: [{ ...ends, appendEntries: { commit: beyond } }] },
      /above 2\^52/,
    ],
    [
      "the id of an entry above 2^52",
      { messages: [{ ...ends, voteRequest: { lastEntry: { term: "1", index: beyond } } }] },
      /above 2\^52/,
    ],
    [
      "an entry of a term above 2^52",
      { messages: [{ ...ends, appendEntries: { entries: [{ term: beyond, kind: 1 }] } }] },
      /above 2\^52/,
    ],
    ["commands for a term above 2^52", { forwardedTerm: beyond }, /above 2\^52/],
    ["a refusal of a term above 2^52", { refusals: [{ code: "stopping", term: beyond }] }, /above 2\^52/],
    [
      "an entry of no kind",
      { messages: [{ ...ends, appendEntries: { entries: [{ term: "1" }] } }] },
      /unknown kind/,
    ],
    [
      "an entry of the kind 9",
      { messages: [{ ...ends, appendEntries: { entries: [{ term: "1", kind: 9 }] } }] },
      /unknown kind/,
    ],
    [
      "entries whose terms decrease",
      {
        messages: [
          { ...ends, appendEntries: { prev: { term: "3", index: "1" }, entries: [{ term: "2", kind: 1 }] } },
        ],
      },
      /below/,
    ],
    [
      "an entry of a later term than its message",
      { messages: [{ ...ends, appendEntries: { entries: [{ term: "6", kind: 1 }] } }] },
      /above that of the message/,
    ],
    [
      "an index that cannot be counted",
      {
        messages: [
          {
            ...ends,
            appendEntries: { prev: { term: "1", index: String(max) }, entries: [{ term: "2", kind: 1 }] },
          },
        ],
      },
      /above 2\^52/,
    ],
    ["a read without a context", { messages: [{ ...ends, readIndexRequest: {} }] }, /no context/],
    ["a refusal for no known reason", { refusals: [{ sequence: 1, code: "mood" }] }, /unknown code/],
  ];
  for (const [name, value, reason] of cases) {
    it(`is refused: ${name}`, () => {
      assert.throws(
        () => decodeFrame(foreign(value), route),
        (error) => error instanceof DecodeError && reason.test(error.message),
      );
    });
  }

  it("is refused: more things than a frame may hold", () => {
    const refusals = Buffer.alloc(2 * (2 ** 20 + 1), Buffer.from([0x12, 0]));
    assert.throws(() => decodeFrame(refusals, route), /more than 1048576/);
  });

  it("is refused: cut short anywhere but between two fields", () => {
    const refusal = { proposer: 1n, sequence: 300, term: term(5), code: "overloaded" } as const;
    const whole = payload({ ...emptyFrame, refusals: [refusal] });
    for (let length = 1; length < whole.length; length += 1) {
      assert.throws(
        () => decodeFrame(whole.subarray(0, length), route),
        DecodeError,
        `first ${String(length)} bytes`,
      );
    }
  });

  it("never gets anything but a DecodeError out of the decoder", () => {
    const damaged = fc.tuple(
      frame,
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
    );
    const decodes = (value: Uint8Array) => {
      try {
        decodeFrame(value, route);
      } catch (error) {
        assert.ok(error instanceof DecodeError, String(error));
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), decodes), { numRuns: 1000 });
    fc.assert(
      fc.property(damaged, ([value, flips]) => {
        const encoded = payload(value);
        for (const [at, byte] of flips) if (encoded.length > 0) encoded[at % encoded.length] = byte;
        decodes(encoded);
      }),
      { numRuns: 1000 },
    );
  });
});
