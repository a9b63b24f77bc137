/** What was given up, and what was not: the numbers are those of issues of etcd. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compact, del, set, txn } from "./commands.ts";
import { heard, hold, idle, inOrder, key, narrow, prefix, World } from "./world.ts";

describe("at the compact revision", () => {
  it("a delete is told, whether or not history was removed (18089, 19179)", async () => {
    for (const isRemoved of [false, true]) {
      const world = new World();
      await world.apply(set("a", "1"), set("b", "1"), del("a"), set("b", "2"), compact(4));
      if (isRemoved) await world.removeAll();
      world.save();
      const stream = world.open();
      stream.create(1, prefix("", 4));
      assert.deepEqual(await heard(stream), ["1: 4 -a, 5 b=2", "progress 5"]);
    }
  });

  it("a delete is told to a watch that was behind when it came (18089)", async () => {
    const world = new World(narrow);
    const stream = world.open();
    stream.create(1, prefix(""));
    await world.apply(set("a", "1"), del("a"), compact(3));
    await world.removeAll();
    world.save();
    assert.deepEqual(await heard(stream), ["1: 2 a=1", "1: 3 -a", "progress 3"]);
  });

  it("previous values are given up, later ones are not", async () => {
    const world = new World();
    await world.apply(set("a", "1"), set("a", "2"), set("a", "3"), compact(3));
    await world.removeAll();
    world.save();
    const stream = world.open();
    stream.create(1, { ...prefix("", 3), wantPrevious: true });
    const [message] = (await stream.next()) ?? [];
    assert.ok(message?.kind === "events");
    const values = message.events.map(({ previous }) => previous && Buffer.from(previous.value).toString());
    assert.deepEqual(values, [undefined, "2"]);
  });

  it("a watch from before it ends", async () => {
    const world = new World();
    await world.apply(set("a", "1"), set("a", "2"), set("a", "3"), compact(3));
    const stream = world.open();
    stream.create(1, key("a", 2));
    assert.deepEqual(await heard(stream), ["1: compacted 3", "progress 4"]);
    assert.equal(stream.toldThrough(1), undefined);
    stream.create(1, key("a", 3));
    assert.deepEqual(await heard(stream), ["1: 3 a=2, 4 a=3", "progress 4"]);
  });

  it("a watch ends that was reading what is given up, before it tells of a part of it", async () => {
    const world = new World();
    await world.apply(txn({ a: "1", b: "1" }), set("a", "2"));
    world.save();
    const release = hold(world);
    const stream = world.open();
    stream.create(1, prefix("", 2));
    stream.create(2, prefix("", 3));
    await idle();
    world.disk.gate = undefined;
    await world.apply(compact(3));
    await world.removeAll();
    release();
    const messages = inOrder(await heard(stream));
    assert.deepEqual(messages, ["1: compacted 3", "2: 3 a=2", "progress 3"]);
  });

  it("a watch ends that had no room", async () => {
    const world = new World(narrow);
    const stream = world.open();
    stream.create(1, prefix(""));
    await world.apply(set("a", "1"), set("a", "2"), set("a", "3"), compact(4));
    assert.deepEqual(await heard(stream), ["1: 2 a=1", "1: compacted 4", "progress 4"]);
  });
});
