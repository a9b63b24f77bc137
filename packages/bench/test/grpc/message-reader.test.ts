import assert from "node:assert/strict";
import { test } from "node:test";
import { frameMessage } from "../../src/grpc/message.ts";
import { MessageReader } from "../../src/grpc/message-reader.ts";

test("messages are found wherever the bytes are cut", () => {
  const texts = ["a", "", "message", "x".repeat(300)];
  const bytes = Buffer.concat(texts.map((text) => frameMessage(Buffer.from(text))));
  for (let size = 1; size <= bytes.length; size += 1) {
    const found: string[] = [];
    const reader = new MessageReader((source, start, end) =>
      found.push(source.toString("latin1", start, end)),
    );
    for (let at = 0; at < bytes.length; at += size) {
      reader.accept(bytes, at, Math.min(bytes.length, at + size));
    }
    assert.deepEqual(found, texts, `cut at each ${size}`);
    assert.ok(reader.isBetweenMessages);
  }
});

test("half a message is no message, and a compressed one is refused", () => {
  const reader = new MessageReader(() => assert.fail("there is no whole message"));
  reader.accept(Buffer.from([0, 0, 0, 0, 2, 7]), 0, 6);
  assert.equal(reader.isBetweenMessages, false);
  assert.throws(() => {
    new MessageReader(() => undefined).accept(Buffer.from([1, 0, 0, 0, 0]), 0, 5);
  }, /compressed/);
});
