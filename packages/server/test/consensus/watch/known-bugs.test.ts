/** Each of these has happened to etcd; the numbers are those of its issues. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compact, set, txn } from "./commands.ts";
import { heard, hold, idle, inOrder, isSilent, key, narrow, prefix, roomy, textOf, World } from "./world.ts";

describe("progress", () => {
  it("does not overtake events that are still to be read (15220)", async () => {
    const world = new World();
    await world.apply(set("a", "1"), set("a", "2"));
    const release = hold(world);
    const stream = world.open();
    stream.create(1, key("a", 2));
    stream.create(2, key("b"));
    stream.requestProgress();
    const next = stream.next();
    assert.ok(await isSilent(next));
    await world.apply(set("b", "1"), set("a", "3"));
    release();
    assert.deepEqual((await next)?.map(textOf), ["2: 4 b=1"]);
    assert.deepEqual(await heard(stream), ["1: 2 a=1, 3 a=2, 5 a=3", "progress 5"]);
  });

  it("does not overtake events that had no room (15220)", async () => {
    const world = new World(narrow);
    const stream = world.open();
    stream.create(1, key("a"));
    await world.apply(set("a", "1"), set("a", "2"), set("a", "3"));
    assert.deepEqual(await heard(stream), ["1: 2 a=1", "1: 3 a=2", "1: 4 a=3", "progress 4"]);
  });

  it("does not overtake events whose previous values are being read (15220)", async () => {
    const world = new World();
    await world.apply(set("a", "1"));
    const stream = world.open();
    stream.create(1, { ...key("a"), wantPrevious: true });
    await world.apply(set("a", "2"));
    const next = stream.next();
    stream.requestProgress();
    assert.deepEqual((await next)?.map(textOf), ["1: 3 a=2", "progress 3"]);
  });

  it("that is queued waits for a watch of the past that begins before it is read (15220)", async () => {
    const world = new World();
    await world.apply(set("a", "1"));
    const stream = world.open();
    stream.requestProgress();
    stream.create(1, key("a", 2));
    assert.deepEqual((await stream.next())?.map(textOf), ["1: 2 a=1", "progress 2"]);
    stream.requestProgress();
    stream.create(2, key("a", 4));
    const next = stream.next();
    assert.ok(await isSilent(next));
    await world.apply(set("b", "1"), set("b", "2"));
    assert.deepEqual((await next)?.map(textOf), ["progress 4"]);
  });

  it("comes when the last watch that was behind is cancelled", async () => {
    const world = new World();
    await world.apply(set("a", "1"));
    const release = hold(world);
    const stream = world.open();
    stream.create(1, key("a", 2));
    stream.requestProgress();
    const next = stream.next();
    assert.ok(await isSilent(next));
    stream.cancel(1);
    assert.deepEqual((await next)?.map(textOf), ["progress 2"]);
    release();
  });

  it("comes when the last watch that was behind has ended", async () => {
    const world = new World();
    await world.apply(set("a", "1"), set("a", "2"), compact(3));
    const stream = world.open();
    stream.create(1, key("a", 2));
    assert.deepEqual(await heard(stream), ["1: compacted 3", "progress 3"]);
  });
});

describe("a watch on a member that lags behind", () => {
  it("never goes back in time when the state of another one is taken over (15271)", async () => {
    const [leader, member] = [new World(), new World()];
    const stream = member.open();
    stream.create(1, key("a"));
    for (const world of [leader, member]) await world.apply(set("a", "1"), set("b", "1"));
    assert.deepEqual(await heard(stream), ["1: 2 a=1", "progress 3"]);
    await leader.apply(set("a", "2"), set("b", "2"), set("a", "3"));
    leader.save();
    member.restoreFrom(leader);
    assert.equal(stream.toldThrough(1), 3);
    assert.deepEqual(await heard(stream), ["1: 4 a=2, 6 a=3", "progress 6"]);
    await member.apply(set("a", "4"));
    assert.deepEqual(await heard(stream), ["1: 7 a=4", "progress 7"]);
  });

  it("never goes back in time when its history was being read then (15271)", async () => {
    const [leader, member] = [new World(), new World()];
    for (const world of [leader, member]) {
      await world.apply(set("a", "1"), set("a", "2"));
      world.save();
    }
    const release = hold(member);
    const stream = member.open();
    stream.create(1, key("a", 2));
    await idle();
    await leader.apply(set("a", "3"));
    leader.save();
    member.restoreFrom(leader);
    release();
    assert.deepEqual(await heard(stream), ["1: 2 a=1, 3 a=2, 4 a=3", "progress 4"]);
  });

  it("goes on when the disk that was being read is closed because another state has come", async () => {
    const [leader, member] = [new World(), new World()];
    await leader.apply(set("a", "1"), set("a", "2"));
    await member.apply(set("a", "1"));
    leader.save();
    const { promise, reject } = Promise.withResolvers<void>();
    member.disk.gate = promise;
    const stream = member.open();
    stream.create(1, key("a", 2));
    await idle();
    member.disk.gate = undefined;
    member.restoreFrom(leader);
    reject(new Error("the database was closed"));
    assert.deepEqual(await heard(stream), ["1: 2 a=1, 3 a=2", "progress 3"]);
    assert.deepEqual(member.failures, []);
  });

  it("ends when what it wants next was given up in the state that was taken over", async () => {
    const [leader, member] = [new World(), new World()];
    const stream = member.open();
    stream.create(1, key("a"));
    stream.create(2, key("a", 4));
    for (const world of [leader, member]) await world.apply(set("a", "1"));
    await leader.apply(set("a", "2"), set("a", "3"), compact(4));
    await leader.removeAll();
    leader.save();
    member.restoreFrom(leader);
    const messages = inOrder(await heard(stream));
    assert.deepEqual(messages, ["1: 2 a=1", "1: compacted 4", "2: 4 a=3", "progress 4"]);
  });

  it("refuses a state that is older than its own", async () => {
    const [old, member] = [new World(), new World()];
    await member.apply(set("a", "1"));
    assert.throws(() => {
      member.restoreFrom(old);
    }, /never older/u);
  });
});

describe("events", () => {
  it("that are applied while the history is read are told once (17247)", async () => {
    const world = new World();
    await world.apply(set("a", "1"));
    const release = hold(world);
    const stream = world.open();
    stream.create(1, prefix("a", 2));
    await idle();
    await world.apply(txn({ a: "2", a2: "2" }));
    world.save();
    await world.apply(set("a", "3"));
    release();
    assert.deepEqual(await heard(stream), ["1: 2 a=1, 3 a=2, 3 a2=2, 4 a=3", "progress 4"]);
  });

  it("that are applied while the history is read are told, however many they are (17529)", async () => {
    const world = new World({ ...roomy, historyBytes: 1 });
    await world.apply(set("a", "1"));
    const release = hold(world);
    const stream = world.open();
    stream.create(1, prefix("a", 2));
    await idle();
    await world.apply(set("a", "2"), set("a", "3"), set("a", "4"));
    release();
    for (const value of ["5", "6", "7"]) {
      await new Promise((resolve) => setImmediate(resolve));
      await world.apply(set("a", value));
    }
    const told = (await heard(stream)).join(", ").replaceAll("1: ", "");
    assert.equal(told, "2 a=1, 3 a=2, 4 a=3, 5 a=4, 6 a=5, 7 a=6, 8 a=7, progress 8");
  });

  it("that are saved while they are read are told once (17247)", async () => {
    const world = new World();
    await world.apply(set("a", "1"), txn({ a: "2", b: "2" }));
    const stream = world.open();
    stream.create(1, prefix("", 2));
    world.take();
    await world.apply(set("a", "3"));
    world.written();
    assert.deepEqual(await heard(stream), ["1: 2 a=1, 3 a=2, 3 b=2, 4 a=3", "progress 4"]);
  });

  it("are not lost while a client does not read (17529)", async () => {
    const world = new World({ ...narrow, streamBytes: 1000 });
    const [slow, quick] = [world.open(), world.open()];
    for (const stream of [slow, quick]) {
      stream.create(1, prefix("a"));
      stream.create(2, key("a1"));
    }
    const expected: string[] = [];
    for (let turn = 0; turn < 50; turn += 1) {
      await world.apply(txn({ a1: String(turn), a2: String(turn) }));
      const text = String(turn + 2);
      expected.push(`${text} a1=${String(turn)}`, `${text} a2=${String(turn)}`);
      if (turn % 5 === 0) world.save();
      if (turn % 10 === 0) await quick.next();
    }
    const messages = await heard(slow);
    const of = (id: string): string =>
      messages
        .filter((text) => text.startsWith(id))
        .map((text) => text.slice(3))
        .join(", ");
    assert.equal(of("1"), expected.join(", "));
    assert.equal(of("2"), expected.filter((text) => text.includes("a1")).join(", "));
    assert.equal(messages.at(-1), "progress 51");
  });

  it("of one big revision are told as a whole (17529)", async () => {
    const world = new World(narrow);
    const names = Array.from({ length: 50 }, (_, at) => `k${String(at)}`);
    const whole = (revision: number, value: string): string =>
      `1: ${names.map((name) => `${String(revision)} ${name}=${value}`).join(", ")}`;
    await world.apply(txn(Object.fromEntries(names.map((name) => [name, "1"]))));
    world.save();
    const stream = world.open();
    stream.create(1, prefix("k", 2));
    await world.apply(txn(Object.fromEntries(names.map((name) => [name, "2"]))));
    assert.deepEqual(await heard(stream), [whole(2, "1"), whole(3, "2"), "progress 3"]);
  });

  it("are told at least one at a time when all queues are full (17529)", async () => {
    const world = new World({ ...narrow, streamBytes: 1000, queuedBytes: 1 });
    const streams = [world.open(), world.open()];
    for (const stream of streams) stream.create(1, prefix(""));
    await world.apply(set("a", "1"), set("a", "2"));
    for (const stream of streams)
      assert.deepEqual(await heard(stream), ["1: 2 a=1", "1: 3 a=2", "progress 3"]);
  });
});

describe("a watch from a revision to come", () => {
  it("is told nothing before it (20221)", async () => {
    const world = new World();
    await world.apply(set("a", "1"));
    const stream = world.open();
    assert.equal(stream.create(1, key("a", 5)), 4);
    stream.requestProgress();
    const next = stream.next();
    await world.apply(set("a", "2"), set("a", "3"));
    assert.ok(await isSilent(next));
    assert.equal(stream.toldThrough(1), undefined);
    await world.apply(txn({ a: "4", b: "4" }));
    assert.deepEqual((await next)?.map(textOf), ["1: 5 a=4", "progress 5"]);
    assert.equal(stream.toldThrough(1), 5);
  });

  it("lets other watches of its stream be told meanwhile (20221)", async () => {
    const world = new World();
    const stream = world.open();
    stream.create(1, key("a", 3));
    stream.create(2, key("a"));
    await world.apply(set("a", "1"));
    assert.deepEqual((await stream.next())?.map(textOf), ["2: 2 a=1"]);
    await world.apply(set("a", "2"));
    const messages = inOrder(await heard(stream));
    assert.deepEqual(messages, ["1: 3 a=2", "2: 3 a=2", "progress 3"]);
  });

  it("is told nothing before it when a member takes over a state beyond it (20221)", async () => {
    const [leader, member] = [new World(), new World()];
    const stream = member.open();
    stream.create(1, key("a", 4));
    stream.create(2, key("a", 6));
    stream.requestProgress();
    await leader.apply(set("a", "1"), set("a", "2"), set("a", "3"), set("a", "4"));
    leader.save();
    member.restoreFrom(leader);
    assert.deepEqual((await stream.next())?.map(textOf), ["1: 4 a=3, 5 a=4"]);
    const next = stream.next();
    assert.ok(await isSilent(next));
    stream.cancel(2);
    assert.deepEqual((await next)?.map(textOf), ["progress 5"]);
  });

  it("is said to be there when a state is taken over that ends with it", async () => {
    const [leader, member] = [new World(), new World()];
    const stream = member.open();
    stream.create(1, key("a", 3));
    stream.requestProgress();
    const next = stream.next();
    await leader.apply(set("b", "1"), set("b", "2"));
    leader.save();
    member.restoreFrom(leader);
    assert.deepEqual((await next)?.map(textOf), ["progress 3"]);
  });

  it("is told nothing before it when it had no room (20221)", async () => {
    const world = new World(narrow);
    const stream = world.open();
    stream.create(1, key("b"));
    stream.create(2, key("a", 4));
    await world.apply(set("b", "1"), set("a", "2"), set("a", "3"), set("a", "4"));
    assert.deepEqual(await heard(stream), ["1: 2 b=1", "2: 4 a=3", "2: 5 a=4", "progress 5"]);
  });
});
