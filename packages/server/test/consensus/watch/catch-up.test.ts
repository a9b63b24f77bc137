import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { WatchStream } from "../../../src/consensus/watch/watch.ts";
import { set } from "./commands.ts";
import { heard, idle, key, narrow, prefix, roomy, World } from "./world.ts";

/** A member whose history has so many revisions, each with one change, and is read one at a time. */
async function longHistory(revisions: number): Promise<World> {
  const world = new World({ ...roomy, historyBytes: 1 });
  for (let at = 0; at < revisions; at += 1) await world.apply(set("a", String(at)));
  world.save();
  return world;
}

/** Counts from now on how often history is read. */
function countReads(world: World): () => number {
  const { store } = world;
  const history = store.history.bind(store);
  let reads = 0;
  store.history = (from, through) => {
    reads += 1;
    return history(from, through);
  };
  return () => reads;
}

/** Reads until the events of a revision are told. */
async function toldOf(stream: WatchStream, revision: number): Promise<void> {
  for (;;)
    for (const message of (await stream.next()) ?? [])
      if (message.kind === "events" && message.revision >= revision) return;
}

describe("catching up", () => {
  it("of many watches that want the same takes turns with others, and loses nothing", async () => {
    const world = new World({ ...roomy, streamBytes: 1 << 24 });
    for (let at = 0; at < 100; at += 1) await world.apply(set("a", String(at)));
    const stream = world.open();
    for (let id = 0; id < 130; id += 1) stream.create(id, key("a", id % 7));
    const counts = new Map<string, number>();
    for (const text of await heard(stream)) {
      const [id = "", events = ""] = text.split(": ");
      counts.set(id, (counts.get(id) ?? 0) + events.split(", ").length);
    }
    // From the revisions 1 to 6 on, of 2 to 101; 0 is now.
    for (let id = 0; id < 130; id += 1) {
      const start = id % 7;
      assert.equal(counts.get(String(id)) ?? 0, start === 0 ? 0 : 102 - Math.max(2, start));
    }
  });

  it("from a little behind does not wait for those who are far behind", async () => {
    const world = await longHistory(100);
    const [far, near] = [world.open(), world.open()];
    far.create(1, prefix("a", 2));
    near.create(1, prefix("a", 100));
    const done = toldOf(far, 101);
    await toldOf(near, 101);
    assert.ok((far.toldThrough(1) ?? 0) < 50);
    await done;
  });

  it("from far behind does not wait for those who keep coming", async () => {
    const world = await longHistory(20);
    const far = world.open();
    far.create(1, prefix("a", 2));
    let isDone = false;
    const done = toldOf(far, 21).then(() => (isDone = true));
    const others = world.open();
    for (let id = 0; !isDone; id += 1) {
      assert.ok(id < 1000, "it gets its turn");
      others.create(id, prefix("a", 19));
      others.cancel(id - 10);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await done;
  });

  it("reads for all who come from far behind at once", async () => {
    const world = await longHistory(60);
    const reads = countReads(world);
    const streams = Array.from({ length: 20 }, (_, at) => {
      const stream = world.open();
      stream.create(1, prefix("a", 2 + at));
      return stream;
    });
    await Promise.all(streams.map((stream) => toldOf(stream, 61)));
    assert.ok(reads() < 3 * 60, `history was read ${String(reads())} times`);
  });

  it("reads nothing for a client that does not take what is queued", async () => {
    const world = new World(narrow);
    const stream = world.open();
    stream.create(1, prefix("a"));
    await world.apply(set("a", "1"));
    const reads = countReads(world);
    stream.create(2, prefix("b", 1));
    await idle();
    assert.equal(reads(), 0);
    assert.deepEqual(await heard(stream), ["1: 2 a=1", "progress 2"]);
    assert.ok(reads() > 0);
  });

  it("reads nothing for a watch that was cancelled while it had no room", async () => {
    const world = new World(narrow);
    const stream = world.open();
    stream.create(1, prefix("a"));
    stream.create(2, prefix("b"));
    await world.apply(set("a", "1"), set("b", "1"));
    stream.cancel(2);
    const reads = countReads(world);
    assert.deepEqual(await heard(stream), ["1: 2 a=1", "progress 3"]);
    await idle();
    assert.equal(reads(), 0);
  });

  it("reads nothing for those whose keys were not changed since", async () => {
    const world = await longHistory(10);
    const reads = countReads(world);
    const stream = world.open();
    stream.create(1, prefix("b"));
    await world.apply(set("a", "1"), set("a", "2"));
    assert.deepEqual(await heard(stream), ["progress 13"]);
    assert.equal(reads(), 0);
  });
});
