import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { SnapshotAnswerSchema, SnapshotFrameSchema } from "@dkv/protocol/dkv/peer/v1/peer";
import { term } from "@dkv/raft";
import fc from "fast-check";
import { DecodeError } from "../../src/codec/decode-error.ts";
import {
  decodeSnapshotAnswer,
  decodeSnapshotFrame,
  encodeSnapshotAnswer,
  encodeSnapshotFrame,
  type SnapshotAnswer,
  type SnapshotFrame,
} from "../../src/codec/snapshot-codec.ts";

const bytes = fc.uint8Array({ maxLength: 300 });
const frames: fc.Arbitrary<SnapshotFrame> = fc.oneof(
  fc.record(
    { kind: fc.constant("offer"), term: fc.nat().map((value) => term(value)), header: bytes },
    { noNullPrototype: true },
  ),
  fc.record({ kind: fc.constant("chunk"), chunk: bytes }, { noNullPrototype: true }),
  fc.record({ kind: fc.constant("trailer"), trailer: bytes }, { noNullPrototype: true }),
);

/** What follows the length header. */
function payload(encoded: Buffer): Uint8Array {
  assert.equal(encoded.readUInt32BE(), encoded.length - 4);
  return new Uint8Array(encoded.subarray(4));
}

describe("a frame of a snapshot", () => {
  it("is the same after encoding and decoding, and to protobuf-es", () => {
    fc.assert(
      fc.property(frames, (frame) => {
        const encoded = payload(encodeSnapshotFrame(frame));
        assert.deepEqual(decodeSnapshotFrame(encoded), frame);
        const read = fromBinary(SnapshotFrameSchema, encoded);
        assert.equal(read.content.case, frame.kind);
        assert.deepEqual(decodeSnapshotFrame(toBinary(SnapshotFrameSchema, read)), frame);
      }),
    );
  });

  it("lends its bytes to the chunk instead of copying it", () => {
    const encoded = payload(encodeSnapshotFrame({ kind: "chunk", chunk: Uint8Array.of(1, 2) }));
    const frame = decodeSnapshotFrame(encoded);
    assert.ok(frame.kind === "chunk" && frame.chunk.buffer === encoded.buffer);
  });

  it("is refused with two things in it, or none", () => {
    const chunk = payload(encodeSnapshotFrame({ kind: "chunk", chunk: Uint8Array.of(1) }));
    assert.throws(() => decodeSnapshotFrame(Uint8Array.of(...chunk, ...chunk)), /more than one/);
    assert.throws(() => decodeSnapshotFrame(Uint8Array.of(0x3a, 1, 1)), /no known kind/);
  });

  it("is refused with a term that nobody can have counted to", () => {
    const offer = { kind: "offer", term: term(2 ** 52 + 1), header: Uint8Array.of(1) } as const;
    assert.throws(() => decodeSnapshotFrame(payload(encodeSnapshotFrame(offer))), DecodeError);
  });
});

describe("an answer to a snapshot", () => {
  it("is the same after encoding and decoding, and never looks like a sign of life", () => {
    const answers: readonly SnapshotAnswer[] = [
      { kind: "received", chunks: 0 },
      { kind: "received", chunks: 2 ** 40 },
      { kind: "refused", reason: "" },
      { kind: "refused", reason: "no" },
      { kind: "complete" },
    ];
    for (const answer of answers) {
      const encoded = payload(encodeSnapshotAnswer(answer));
      assert.ok(encoded.length > 0);
      assert.deepEqual(decodeSnapshotAnswer(encoded), answer);
    }
  });

  it("is refused with a count that cannot be counted", () => {
    const content = { case: "received", value: 2n ** 53n } as const;
    const encoded = toBinary(SnapshotAnswerSchema, create(SnapshotAnswerSchema, { content }));
    assert.throws(() => decodeSnapshotAnswer(encoded), DecodeError);
  });
});
