import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { FrameMemory, WireWriter } from "../../src/codec/wire-writer.ts";

describe("a field", () => {
  it("may have any number that protobuf knows", () => {
    for (const field of [1, 15, 16, 2047, 2048, 2 ** 29 - 1]) {
      const writer = new WireWriter(64);
      writer.bytes(field, Uint8Array.of(7));
      writer.count(field, 300);
      writer.fixed64(field, 2n ** 63n);
      const reader = new BinaryReader(writer.finishFrame().subarray(4));
      assert.deepEqual(reader.tag(), [field, WireType.Bit64]);
      assert.equal(BigInt(reader.fixed64()), 2n ** 63n);
      assert.deepEqual(reader.tag(), [field, WireType.Varint]);
      assert.equal(reader.uint32(), 300);
      assert.deepEqual(reader.tag(), [field, WireType.LengthDelimited]);
      assert.deepEqual([...reader.bytes()], [7]);
    }
  });
});

describe("frames of one link", () => {
  const write = (memory: FrameMemory, bytes: Uint8Array, capacity = bytes.length + 16): Buffer => {
    const writer = new WireWriter(capacity, memory);
    writer.bytes(1, bytes);
    return writer.finishFrame();
  };

  it("share memory, and stay as they were written", () => {
    const memory = new FrameMemory();
    const frames = Array.from({ length: 1000 }, (_, at) => write(memory, Buffer.alloc(at % 200, at)));
    assert.ok(new Set(frames.map(({ buffer }) => buffer)).size < 20);
    for (const [at, frame] of frames.entries()) {
      const reader = new BinaryReader(frame.subarray(4));
      assert.equal(frame.readUInt32BE(), frame.length - 4);
      reader.tag();
      assert.deepEqual(Buffer.from(reader.bytes()), Buffer.alloc(at % 200, at));
    }
  });

  it("take no more than they need of what was set aside for them", () => {
    const memory = new FrameMemory();
    const frames = Array.from({ length: 100 }, () => write(memory, Buffer.alloc(10), 4000));
    assert.ok(new Set(frames.map(({ buffer }) => buffer)).size < 4);
  });

  it("have memory of their own if they are long: a block waits for the slowest of its frames", () => {
    const memory = new FrameMemory();
    const short = write(memory, Buffer.alloc(10));
    const long = write(memory, Buffer.alloc(5000));
    assert.notEqual(long.buffer, short.buffer);
    assert.equal(write(memory, Buffer.alloc(10)).buffer, short.buffer);
  });
});
