import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FrameReader } from "../src/frame-reader.ts";
import { frame, frameFlag, frameType } from "../src/frames.ts";

interface Seen {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: string;
}

function read(chunks: readonly Buffer[]): readonly Seen[] {
  const seen: Seen[] = [];
  const reader = new FrameReader(({ type, flags, streamId, source, start, end }) => {
    seen.push({ type, flags, streamId, payload: source.toString("hex", start, end) });
  });
  for (const chunk of chunks) reader.accept(chunk);
  return seen;
}

function cut(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const sorted = places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b);
  const ends = [...sorted, bytes.length];
  return ends.map((end, at) => bytes.subarray(ends[at - 1] ?? 0, end));
}

test("frames are the same however the bytes are cut", () => {
  const anyFrame = fc.record({
    type: fc.integer({ min: 2, max: 12 }),
    flags: fc.integer({ min: 0, max: 255 }),
    streamId: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    payload: fc.uint8Array({ maxLength: 60 }),
  });
  fc.assert(
    fc.property(fc.array(anyFrame, { maxLength: 8 }), fc.array(fc.nat()), (frames, places) => {
      const bytes = Buffer.concat(frames.map(({ payload, ...head }) => frame(head, payload)));
      const expected = frames.map(({ payload, ...head }) => ({
        ...head,
        payload: Buffer.from(payload).toString("hex"),
      }));
      assert.deepEqual(read(cut(bytes, places)), expected);
    }),
  );
});

test("padding and priority are not part of the content", () => {
  const payload = Buffer.from([2, 0, 0, 0, 0, 16, 0xaa, 0xbb, 0, 0]);
  const flags = frameFlag.padded | frameFlag.priority;
  const headers = frame({ type: frameType.headers, flags, streamId: 1 }, payload);
  const data = frame(
    { type: frameType.data, flags: frameFlag.padded, streamId: 1 },
    Buffer.from([1, 0xcc, 0]),
  );
  assert.deepEqual(
    read([Buffer.concat([headers, data])]).map((seen) => seen.payload),
    ["aabb", "cc"],
  );
});

test("a frame beyond the allowed size is refused before its payload comes", () => {
  const head = Buffer.from([0, 0x40, 1, 0, 0, 0, 0, 0, 1]);
  assert.throws(() => read([head]), /no frame is longer/);
});

test("padding longer than its frame is refused", () => {
  const bad = frame({ type: frameType.data, flags: frameFlag.padded, streamId: 1 }, Buffer.from([9, 0]));
  assert.throws(() => read([bad]), /padding is shorter/);
});
