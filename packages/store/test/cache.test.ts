import assert from "node:assert/strict";
import { test } from "node:test";
import { VersionCache } from "../src/cache.ts";
import { noLease } from "../src/version.ts";

const facts = { createRevision: 2, modRevision: 2, sub: 0, version: 1, lease: noLease };
const version = (value: string) => ({ isDeleted: false, value, ...facts }) as const;

test("gives what was set last", () => {
  const cache = new VersionCache(10_000);
  cache.set("a", version("1"));
  cache.set("a", "missing");
  assert.equal(cache.get("a"), "missing");
  assert.equal(cache.get("b"), undefined);
});

test("never holds more than its budget", () => {
  const maxBytes = 100_000;
  const cache = new VersionCache(maxBytes);
  for (let number = 0; number < 1000; number += 1)
    cache.set(`key${String(number)}`, version("x".repeat(1000)));
  let heldBytes = 0;
  for (let number = 0; number < 1000; number += 1) {
    // Asking moves nothing out: the young generation has room for what is moved into it or turns first.
    const known = cache.get(`key${String(number)}`);
    if (known !== undefined && known !== "missing") heldBytes += known.value.length;
  }
  assert.ok(heldBytes <= maxBytes, `${String(heldBytes)} bytes are held`);
  assert.ok(heldBytes > 0, "something is held");
});

test("keeps what is used and drops what is not", () => {
  const cache = new VersionCache(20_000);
  cache.set("used", version("1"));
  cache.set("unused", version("1"));
  for (let number = 0; number < 200; number += 1) {
    cache.set(`key${String(number)}`, version("x".repeat(200)));
    cache.get("used");
  }
  assert.deepEqual(cache.get("used"), version("1"));
  assert.equal(cache.get("unused"), undefined);
});

test("a version too large to keep drops the one before, which is no longer true", () => {
  const cache = new VersionCache(2000);
  cache.set("a", version("1"));
  cache.set("a", version("x".repeat(2000)));
  assert.equal(cache.get("a"), undefined);
});

test("the same holds when the one before is of the old generation", () => {
  const cache = new VersionCache(2000);
  cache.set("a", version("1"));
  for (const key of ["b", "c", "d", "e"]) cache.set(key, version("1"));
  cache.set("a", version("x".repeat(2000)));
  assert.equal(cache.get("a"), undefined);
});

test("a key that is set again and again takes the place of one", () => {
  const cache = new VersionCache(2000);
  cache.set("a", version("1"));
  for (let number = 0; number < 100; number += 1) cache.set("b", version(String(number)));
  assert.deepEqual(cache.get("a"), version("1"));
});
