/** How far watches are, as clients of etcd are told. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WatchProgress } from "../../src/api/etcd-v3/watch-progress.ts";
import { PushedClock } from "../consensus/pushed-clock.ts";
import { bytes } from "./etcd-client.ts";
import { put, watching } from "./etcd-watching.ts";

describe("a watch of etcd that wants to be told how far it is", () => {
  const progressIntervalMs = 1000;
  const progressNotify = true;

  it("is told when it was told nothing else for as long", async (t) => {
    const clock = new PushedClock();
    const stream = await watching(t, "fast", { clock, progressIntervalMs });
    stream.create({ key: bytes("a"), progressNotify });
    assert.equal(await stream.told(), "0@1: created");
    stream.create({ key: bytes("b"), progressNotify });
    assert.equal(await stream.told(), "1@1: created");
    stream.create({ key: bytes("c") });
    assert.equal(await stream.told(), "2@1: created");
    await put(stream, "a", "1");
    assert.equal(await stream.told(), "0@2: a=1@2");
    clock.push(2 * progressIntervalMs);
    assert.equal(await stream.told(), "1@2: ");
    clock.push(2 * progressIntervalMs);
    assert.equal(await stream.told(), "0@2: ");
    assert.equal(await stream.told(), "1@2: ");
    stream.cancel(0n);
    assert.equal(await stream.told(), "0@2: canceled");
    clock.push(2 * progressIntervalMs);
    assert.equal(await stream.told(), "1@2: ");
  });

  it("is told so beside one that begins later, and is not told before it begins itself", async (t) => {
    const clock = new PushedClock();
    const stream = await watching(t, "fast", { clock, progressIntervalMs });
    stream.create({ key: bytes("a"), startRevision: 3n, progressNotify });
    assert.equal(await stream.told(), "0@1: created");
    stream.create({ key: bytes("a"), progressNotify });
    assert.equal(await stream.told(), "1@1: created");
    await put(stream, "b");
    clock.push(2 * progressIntervalMs);
    assert.equal(await stream.told(), "1@2: ");
    await put(stream, "b");
    clock.push(2 * progressIntervalMs);
    assert.equal(await stream.told(), "0@3: ");
    assert.equal(await stream.told(), "1@3: ");
  });

  it("is not told any more once its history was given up", async (t) => {
    const clock = new PushedClock();
    const stream = await watching(t, "fast", { clock, progressIntervalMs });
    const { watches } = stream.client.member;
    stream.create({ key: bytes("a"), progressNotify });
    assert.equal(await stream.told(), "0@1: created");
    const wake = watches.wake.bind(watches);
    // It comes to look when all of it is over.
    watches.wake = () => undefined;
    for (const value of ["1", "2"]) await put(stream, "a", value);
    await stream.client.kv.compact({ revision: 3n });
    clock.push(2 * progressIntervalMs);
    wake();
    assert.equal(await stream.told(), "0@1: ");
    assert.equal(await stream.told(), "0@0: canceled, compacted 3");
    stream.create({ key: bytes("b") });
    assert.equal(await stream.told(), "1@3: created");
  });
});

describe("a wish for the progress of a stream", () => {
  it("is made anew for watches that began before the answer is told", (t) => {
    let asked = 0;
    const stream = {
      requestProgress: () => {
        asked += 1;
      },
      toldThrough: () => undefined,
    };
    const deps = { clock: new PushedClock(), intervalMs: 1000, watches: () => [], tell: () => undefined };
    const progress = new WatchProgress(stream, deps);
    t.after(() => {
      progress.stop();
    });
    assert.equal(progress.isAnswered(), false);
    progress.created();
    progress.request();
    progress.created();
    progress.request();
    assert.deepEqual([progress.isAnswered(), asked], [false, 3]);
    assert.deepEqual([progress.isAnswered(), asked], [true, 3]);
    assert.deepEqual([progress.isAnswered(), asked], [false, 3]);
  });
});
