import assert from "node:assert/strict";
import { test } from "node:test";
import { madeIn } from "../src/overlay/layer.ts";
import { Overlay } from "../src/overlay/overlay.ts";
import { type Change, type Made, noLease } from "../src/version.ts";
import { bytes } from "./disk.ts";

const everything = { from: "", before: undefined };

const version = (value: string, modRevision = 2): Made => ({
  isDeleted: false,
  value,
  createRevision: 2,
  modRevision,
  sub: 0,
  version: 1,
  lease: noLease,
});
const tombstone = (modRevision = 3): Made => ({ isDeleted: true, modRevision, sub: 0 });
const change = (key: string, made: Made): Change => ({ key, made, previous: undefined });

test("counts what entries cost beyond their keys and values", () => {
  const overlay = new Overlay();
  for (let number = 0; number < 1000; number += 1) overlay.add(change(String(number), tombstone()));
  assert.ok(overlay.bytes > 100_000, `${String(overlay.bytes)} bytes for a thousand entries`);
});

test("counts every change of a key with its value, for the history has them all", () => {
  const overlay = new Overlay();
  overlay.add(change("key", version("x".repeat(1000))));
  const once = overlay.bytes;
  overlay.add(change("key", version("y".repeat(3000))));
  assert.equal(overlay.bytes, 2 * once + 2000);
  overlay.add(change("key", tombstone()));
  assert.equal(overlay.bytes, 3 * once + 1000);
});

test("counts records of the small tables, and what is removed", () => {
  const overlay = new Overlay();
  overlay.put({ key: bytes("key"), value: new Uint8Array(5000) });
  const { bytes: put } = overlay;
  assert.ok(put > 5000);
  overlay.put({ key: bytes("other"), value: undefined });
  overlay.remove(bytes("another"));
  assert.ok(overlay.bytes > put + 100);
});

test("counts what is being written until it is durable", () => {
  const overlay = new Overlay();
  overlay.add(change("key", version("value")));
  const one = overlay.bytes;
  overlay.take();
  overlay.add(change("key", version("value")));
  assert.equal(overlay.bytes, 2 * one);
  overlay.persisted();
  assert.equal(overlay.bytes, one);
});

test("what is durable is forgotten once the last who holds on to it lets go, and then only", () => {
  const overlay = new Overlay();
  overlay.add(change("key", version("value")));
  const [first, second] = [overlay.hold(), overlay.hold()];
  overlay.take();
  overlay.persisted();
  const keysOf = () => overlay.layers.flatMap((layer) => layer.keysWithin(everything));
  first();
  first();
  assert.deepEqual(keysOf(), ["key"]);
  assert.equal(overlay.get("key"), undefined, "the disk and the cache know it");
  assert.equal(overlay.bytes, 0, "it is durable");
  second();
  assert.deepEqual(keysOf(), []);
});

test("layers answer newest first, whether they are open, being written or kept", () => {
  const overlay = new Overlay();
  const release = overlay.hold();
  for (const revision of [2, 3, 4, 5]) {
    overlay.add(change("key", version(String(revision), revision)));
    overlay.put({ key: bytes("record"), value: bytes(String(revision)) });
    if (revision < 5) overlay.take();
  }
  overlay.persisted();
  overlay.persisted();
  assert.deepEqual(
    overlay.layers.map((layer) => layer.changes.map(({ made }) => made.modRevision)),
    [[5], [4], [3], [2]],
  );
  assert.equal(overlay.get("key")?.modRevision, 5);
  assert.deepEqual(overlay.record("record")?.value, bytes("5"));
  assert.equal(overlay.record("nothing"), undefined);
  for (const revision of [2, 3, 4, 5])
    assert.equal(madeIn(overlay.layers, "key", revision)?.modRevision, revision);
  assert.equal(madeIn(overlay.layers, "key", 1), undefined);
  release();
});

test("one layer knows what a key was at each of the revisions that it has seen", () => {
  const overlay = new Overlay();
  for (const revision of [3, 5, 7]) overlay.add(change("key", version(String(revision), revision)));
  overlay.add(change("key", tombstone(9)));
  const [layer] = overlay.layers;
  assert.deepEqual(
    [2, 3, 4, 5, 6, 7, 8, 9, 10].map((revision) => layer?.at("key", revision)?.modRevision),
    [undefined, 3, 3, 5, 5, 7, 7, 9, 9],
  );
});

test("keys of an interval come in the order of their bytes, each once, also those added later", () => {
  const overlay = new Overlay();
  const [layer = assert.fail()] = overlay.layers;
  for (const key of ["b", "\xff", "a\0", "a"]) overlay.add(change(key, version("1")));
  assert.deepEqual(layer.keysWithin(everything), ["a", "a\0", "b", "\xff"]);
  for (const key of ["", "b", "a\x01"]) overlay.add(change(key, version("1")));
  assert.deepEqual(layer.keysWithin(everything), ["", "a", "a\0", "a\x01", "b", "\xff"]);
  assert.deepEqual(layer.keysWithin({ from: "a\0", before: "b" }), ["a\0", "a\x01"]);
  assert.deepEqual(layer.keysWithin({ from: "b", before: "a" }), []);
});
