import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BodyMeter, frameMessage, unframeMessage } from "../../src/grpc/message.ts";
import { StatusReader } from "../../src/grpc/status.ts";

test("a body is measured alike however it is cut", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), fc.array(fc.nat({ max: 55 })), (message, places) => {
      const body = frameMessage(message);
      const ends = [...places.map((place) => Math.min(place, body.length)), body.length].sort(
        (a, b) => a - b,
      );
      const meter = new BodyMeter();
      for (const [at, end] of ends.entries()) meter.accept(body, ends[at - 1] ?? 0, end);
      assert.equal(meter.isOneMessage, true);
      assert.equal(meter.messageBytes, message.length);
    }),
  );
});

test("a body that is cut off, too long, or compressed is not one message", () => {
  const body = frameMessage(Buffer.from("abc"));
  const compressed = Buffer.from(body);
  compressed[0] = 1;
  const bad = [
    Buffer.alloc(0),
    body.subarray(0, 4),
    body.subarray(0, 7),
    Buffer.concat([body, body]),
    compressed,
  ];
  for (const bytes of bad) assert.throws(() => unframeMessage(bytes), /one whole, uncompressed message/);
});

test("status 0 is remembered by its bytes, and other bytes are still read", () => {
  const reader = new StatusReader();
  const trailers = (status: string): Buffer =>
    Buffer.concat([
      Buffer.from([0x00, 11]),
      Buffer.from("grpc-status"),
      Buffer.from([status.length]),
      Buffer.from(status),
    ]);
  const read = (block: Buffer): number | undefined => reader.read(block, 0, block.length).code;
  assert.equal(read(trailers("0")), 0);
  assert.equal(read(trailers("0")), 0);
  assert.equal(read(trailers("8")), 8);
  assert.equal(read(trailers("14")), 14);
  assert.equal(read(trailers("x")), undefined);
  assert.equal(read(Buffer.alloc(0)), undefined);
});
