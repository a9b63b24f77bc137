import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { DecodeError } from "../../src/codec/decode-error.ts";
import { FrameReader } from "../../src/transport/frame-reader.ts";

function framed(payload: Uint8Array): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(payload.length);
  return Buffer.concat([header, payload]);
}

describe("a frame reader", () => {
  it("gives back the frames, however the stream is cut into chunks", () => {
    const payloads = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 10 });
    fc.assert(
      fc.property(payloads, fc.infiniteStream(fc.integer({ min: 1, max: 50 })), (frames, sizes) => {
        const reader = new FrameReader(40);
        const stream = Buffer.concat(frames.map(framed));
        const read: Buffer[] = [];
        for (let position = 0; position < stream.length; ) {
          const size = sizes.next().value ?? 1;
          read.push(...reader.frames(stream.subarray(position, position + size)));
          position += size;
        }
        assert.deepEqual(
          read,
          frames.map((frame) => Buffer.from(frame)),
        );
      }),
    );
  });

  it("does not copy a frame that lies in one chunk, and gives each other one memory of its own", () => {
    const reader = new FrameReader(100);
    const chunk = Buffer.concat([framed(Uint8Array.of(1)), framed(Uint8Array.of(2, 3)).subarray(0, 5)]);
    const [first] = [...reader.frames(chunk)];
    assert.equal(first?.buffer, chunk.buffer);
    const [second] = [...reader.frames(Buffer.from([3]))];
    assert.deepEqual(second, Buffer.from([2, 3]));
    assert.equal(second.buffer.byteLength, 2);
  });

  it("refuses a frame by its header, before anything is kept for it", () => {
    const reader = new FrameReader(100);
    const header = Buffer.from([0, 0, 0, 101]);
    assert.throws(
      () => [...reader.frames(header)],
      (error) =>
        error instanceof DecodeError && error.message === "a frame of 101 bytes, where 100 are allowed",
    );
    const whole = Buffer.concat([header, Buffer.alloc(101)]);
    assert.throws(() => [...new FrameReader(100).frames(whole)], DecodeError);
    const allowed = new FrameReader(100);
    allowed.allow(101);
    assert.equal([...allowed.frames(whole)][0]?.length, 101);
    assert.deepEqual([...allowed.frames(header)], []);
  });

  it("sets no memory aside for a long frame of which nothing has come", () => {
    const reader = new FrameReader(64 * 2 ** 20);
    const before = process.memoryUsage().arrayBuffers;
    assert.deepEqual([...reader.frames(Buffer.from([3, 0, 0, 0, 1]))], []);
    assert.ok(process.memoryUsage().arrayBuffers - before < 4 * 2 ** 20);
  });

  it("puts a long frame together, in exactly its size", () => {
    const payload = Buffer.alloc(7 * 2 ** 20 + 3, "long");
    const reader = new FrameReader(payload.length);
    const stream = Buffer.concat([framed(payload), framed(Uint8Array.of(1))]);
    const read: Buffer[] = [];
    for (let at = 0; at < stream.length; at += 100_000)
      read.push(...reader.frames(stream.subarray(at, at + 100_000)));
    const [long = assert.fail("there is a frame"), short] = read;
    assert.ok(long.equals(payload));
    assert.equal(long.buffer.byteLength, payload.length);
    assert.deepEqual(short, Buffer.of(1));
  });

  it("applies a new limit from the next frame on, even in the middle of a chunk", () => {
    const reader = new FrameReader(4);
    const lengths: number[] = [];
    for (const frame of reader.frames(Buffer.concat([framed(Buffer.alloc(4)), framed(Buffer.alloc(90))]))) {
      lengths.push(frame.length);
      reader.allow(90);
    }
    assert.deepEqual(lengths, [4, 90]);
  });
});
