import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { frame, Frames } from "../../src/play/frames.ts";

describe("messages in a stream", () => {
  const bodies = ["", "a", "x".repeat(300)].map((text) => Buffer.from(text));
  const bytes = Buffer.concat(bodies.map(frame));

  for (const size of [1, 3, 7, bytes.length]) {
    it(`come out as they went in, in pieces of ${String(size)}`, () => {
      const got: string[] = [];
      const frames = new Frames((body) => void got.push(Buffer.from(body).toString()));
      for (let at = 0; at < bytes.length; at += size) frames.take(bytes.subarray(at, at + size));
      assert.deepEqual(
        got,
        bodies.map((body) => body.toString()),
      );
    });
  }

  it("are refused when they are compressed, or longer than anything that is asked for", () => {
    const frames = new Frames(() => undefined);
    assert.throws(() => {
      frames.take(Buffer.of(1, 0, 0, 0, 0));
    }, RangeError);
    assert.throws(() => {
      new Frames(() => undefined).take(Buffer.of(0, 0xff, 0, 0, 0));
    }, RangeError);
  });
});
