/** The bytes of a connection between members, before they are frames. */
import assert from "node:assert/strict";
import { damaged, fuzz, inPieces, readOrRefused } from "@dkv/fuzz";
import fc from "fast-check";
import { DecodeError } from "../../src/codec/decode-error.ts";
import { FrameReader } from "../../src/transport/frame-reader.ts";

const maxBytes = 64 * 2 ** 20;

const framed = fc.uint8Array({ maxLength: 90 }).map((payload) => {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(payload.length);
  return Buffer.concat([header, payload]);
});
const stream = fc.array(framed, { maxLength: 8 }).map((frames) => Buffer.concat(frames));

function read(pieces: readonly Buffer[]): { readonly frames: readonly Buffer[]; readonly isBroken: boolean } {
  const reader = new FrameReader(maxBytes);
  const frames: Buffer[] = [];
  const done = readOrRefused(() => {
    for (const piece of pieces) for (const frame of reader.frames(piece)) frames.push(frame);
    return true;
  }, DecodeError);
  return { frames, isBroken: done === undefined };
}

fuzz("frames of a connection", {
  input: inPieces(damaged(stream)),
  check(pieces) {
    const { frames, isBroken } = read(pieces);
    assert.deepEqual({ frames, isBroken }, read([Buffer.concat(pieces)]), "pieces make no difference");
  },
});
