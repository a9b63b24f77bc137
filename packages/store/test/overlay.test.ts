import assert from "node:assert/strict";
import { test } from "node:test";
import { Overlay } from "../src/overlay.ts";

const version = (value: string) => ({ value, createRevision: 2, modRevision: 2, version: 1 });

test("counts what entries cost beyond their keys and values", () => {
  const overlay = new Overlay();
  for (let number = 0; number < 1000; number += 1) overlay.set(String(number), "missing");
  assert.ok(overlay.bytes > 100_000, `${String(overlay.bytes)} bytes for a thousand entries`);
});

test("counts a key once, with its newest value", () => {
  const overlay = new Overlay();
  overlay.set("key", version("x".repeat(1000)));
  const once = overlay.bytes;
  overlay.set("key", version("y".repeat(3000)));
  assert.equal(overlay.bytes, once + 2000);
  overlay.set("key", "missing");
  assert.equal(overlay.bytes, once - 1000);
});

test("counts what is being written until it is durable", () => {
  const overlay = new Overlay();
  overlay.set("key", version("value"));
  const one = overlay.bytes;
  overlay.take();
  overlay.set("key", version("value"));
  assert.equal(overlay.bytes, 2 * one);
  overlay.persisted();
  assert.equal(overlay.bytes, one);
});
