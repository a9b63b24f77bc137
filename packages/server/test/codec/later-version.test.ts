/** What members of a later version say while members are upgraded one by one. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { FrameSchema, RaftMessageSchema } from "@dkv/protocol/dkv/peer/v1/peer";
import { type Message, term } from "@dkv/raft";
import { DecodeError } from "../../src/codec/decode-error.ts";
import { decodeFrame } from "../../src/codec/raft-decoder.ts";
import { emptyFrame, foreign, payload, route } from "./frames.ts";

describe("a frame of a later version", () => {
  it("passes over fields of a later version", () => {
    const known = { ...emptyFrame, forwarded: [Uint8Array.of(1)] };
    const later = [
      0x38, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x3d, 1, 2, 3, 4, 0x39, 1, 2, 3, 4, 5,
      6, 7, 8, 0x42, 2, 1, 2,
    ];
    assert.deepEqual(decodeFrame(new Uint8Array([...payload(known), ...later]), route), known);
  });

  it("passes over messages of a kind that a later version has, and says so", () => {
    const timeoutNow: Message = { kind: "timeoutNow", ...route, term: term(5) };
    const [known] = fromBinary(FrameSchema, payload({ ...emptyFrame, messages: [timeoutNow] })).messages;
    assert.ok(known !== undefined);
    const { kind: _kind, ...envelope } = known;
    const ends = toBinary(RaftMessageSchema, { ...envelope, kind: { case: undefined } });
    // Field 16, a message of two bytes; and field 100, the number 7, in the frame.
    const later = Uint8Array.of(0x82, 0x01, 2, 1, 2);
    const told: string[] = [];
    const bytes = Uint8Array.of(
      10,
      ends.length + later.length,
      ...ends,
      ...later,
      ...payload({ ...emptyFrame, messages: [timeoutNow] }),
      0xa0,
      0x06,
      7,
    );
    assert.deepEqual(
      decodeFrame(bytes, route, (what) => told.push(what)),
      { ...emptyFrame, messages: [timeoutNow] },
    );
    assert.deepEqual(told, ["messages with field 16", "frames with field 100"]);
    const cut = Uint8Array.of(10, ends.length + 4, ...ends, ...later.subarray(0, 4));
    assert.throws(() => decodeFrame(cut, route), DecodeError, "but not what is cut short");
  });

  it("takes a refusal for a reason that a later version has for the most general one", () => {
    const bytes = foreign({ refusals: [{ sequence: 1, code: "mood" }] });
    assert.deepEqual(
      decodeFrame(bytes, route).refusals.map(({ code }) => code),
      ["overloaded"],
    );
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
