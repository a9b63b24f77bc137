import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fromBinary, toBinary, toJson } from "@bufbuild/protobuf";
import { FrameSchema } from "@dkv/protocol/dkv/peer/v1/peer";
import { type Entry, type Message, logIndex, term } from "@dkv/raft";
import fc from "fast-check";
import { DecodeError } from "../../src/codec/decode-error.ts";
import { decodeFrame } from "../../src/codec/raft-decoder.ts";
import { keepsRequestLimits } from "../../src/codec/request-codec.ts";
import type { PeerFrame } from "../../src/transport/peer-transport.ts";
import { emptyFrame, foreign, frame, max, payload, route } from "./frames.ts";

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
            { term: term(7), index: logIndex(44), kind: "configuration", data: Uint8Array.of(4) },
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
      requests: [{ id: 2 ** 52, body: Uint8Array.of(1) }],
      responses: [{ id: 3, body: new Uint8Array() }],
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
              { term: "7", kind: "ENTRY_KIND_CONFIGURATION", data: "BA==" },
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
      requests: [{ id: "4503599627370496", body: "AQ==" }],
      responses: [{ id: "3" }],
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

  it("may hold as many requests as the limits say, and no more", () => {
    const empty = { id: 1, body: new Uint8Array() };
    const full = { ...emptyFrame, responses: Array.from({ length: 1024 }, () => empty) };
    assert.deepEqual(decodeFrame(payload(full), route).responses.length, 1024);
    assert.ok(keepsRequestLimits(full));
    assert.ok(!keepsRequestLimits({ ...emptyFrame, responses: [...full.responses, empty] }));
    const large = { id: 1, body: new Uint8Array(4 * 2 ** 20) };
    assert.ok(keepsRequestLimits({ ...emptyFrame, requests: [large] }));
    assert.deepEqual(decodeFrame(payload({ ...emptyFrame, requests: [large] }), route).requests.length, 1);
    assert.ok(!keepsRequestLimits({ ...emptyFrame, requests: [large, { id: 2, body: Uint8Array.of(1) }] }));
  });
});

describe("a frame that makes no sense", () => {
  const ends = { from: "9223372036854775809", to: "2", term: "5" };
  const beyond = String(max + 1);
  const cases: readonly (readonly [string, Parameters<typeof foreign>[0], RegExp])[] = [
    ["from somebody else", { messages: [{ ...ends, from: "3", timeoutNow: {} }] }, /sender or receiver/],
    ["for somebody else", { messages: [{ ...ends, to: "3", timeoutNow: {} }] }, /sender or receiver/],
    ["a refusal without a reason", { refusals: [{ sequence: 1 }] }, /no code/],
    ["a message of no kind", { messages: [ends] }, /no known kind/],
    [
      "more requests than a frame may hold",
      { requests: Array.from({ length: 1025 }, () => ({ id: "1" })) },
      /more requests/,
    ],
    [
      "more bytes of responses than a frame may hold",
      { responses: [{ body: "A".repeat(4 * 2 ** 20) }, { body: "A".repeat(2 * 2 ** 20) }] },
      /more requests/,
    ],
    ["the number of a request above 2^53-1", { requests: [{ id: "9007199254740992" }] }, /above 2\^53-1/],
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
});
