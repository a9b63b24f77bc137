import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DkvError } from "../../../src/platform/errors.ts";
import { alarm, compact, del, expire, grant, set, txn } from "./commands.ts";
import {
  changeText,
  heard,
  idle,
  inOrder,
  isSilent,
  key,
  narrow,
  prefix,
  roomy,
  textOf,
  World,
} from "./world.ts";

describe("a watch", () => {
  it("from now on is told of what is applied next", async () => {
    const world = new World();
    await world.apply(set("a", "0"));
    const stream = world.open();
    assert.equal(stream.create(7, key("a")), 2);
    await world.apply(set("a", "1"), set("b", "1"), del("a"));
    assert.deepEqual(await heard(stream), ["7: 3 a=1, 5 -a", "progress 5"]);
  });

  it("from the past is told of that, and then of what is applied", async () => {
    const world = new World();
    await world.apply(set("a", "1"), set("a", "2"), set("b", "1"));
    world.save();
    await world.apply(set("a", "3"));
    const stream = world.open();
    assert.equal(stream.create(1, key("a", 3)), 2);
    await world.apply(set("a", "4"));
    assert.deepEqual(await heard(stream), ["1: 3 a=2, 5 a=3, 6 a=4", "progress 6"]);
    await world.apply(set("a", "5"));
    assert.deepEqual(await heard(stream), ["1: 7 a=5", "progress 7"]);
  });

  it("is told of all changes of a revision at once", async () => {
    const world = new World();
    await world.apply(set("a3", "0"));
    const stream = world.open();
    stream.create(1, prefix("a"));
    stream.create(2, key("a2"));
    await world.apply(txn({ a1: "1", b: "1", a2: "1", a3: undefined }));
    const messages = inOrder(await heard(stream));
    assert.deepEqual(messages, ["1: 3 a1=1, 3 a2=1, 3 -a3", "2: 3 a2=1", "progress 3"]);
  });

  it("is told of each revision that one entry has made", async () => {
    const world = new World();
    await world.apply(grant(1n), grant(2n), set("a", "1", 1n), set("b", "1", 2n), set("c", "1", 1n));
    const stream = world.open();
    stream.create(1, prefix(""));
    await world.apply(expire(1n, 2n));
    assert.deepEqual(await heard(stream), ["1: 5 -a, 5 -c, 6 -b", "progress 6"]);
  });

  it("is told only of sets, or of deletes, if it wants no more", async () => {
    const world = new World();
    await world.apply(set("a", "0"));
    const [sets, deletes] = [world.open(), world.open()];
    sets.create(1, { ...prefix("", 1), wantDeletes: false });
    deletes.create(1, { ...prefix("", 1), wantSets: false });
    await world.apply(txn({ a: undefined, b: "1" }), set("c", "1"), del("b"));
    assert.deepEqual(await heard(sets), ["1: 2 a=0, 3 b=1, 4 c=1", "progress 5"]);
    assert.deepEqual(await heard(deletes), ["1: 3 -a, 5 -b", "progress 5"]);
  });

  it("of an interval hears nothing of the keys beside it", async () => {
    const world = new World();
    const stream = world.open();
    const spec = prefix("");
    stream.create(1, { ...spec, interval: { from: "b", before: "d" } });
    stream.create(2, { ...spec, interval: { from: "c", before: undefined } });
    stream.create(3, { ...spec, interval: { from: "c", before: "c" } });
    await world.apply(txn({ a: "1", b: "1", c: "1", d: "1" }));
    const messages = inOrder(await heard(stream));
    assert.deepEqual(messages, ["1: 2 b=1, 2 c=1", "2: 2 c=1, 2 d=1", "progress 2"]);
  });

  it("is told nothing after it was cancelled, and its id can be used again", async () => {
    const world = new World();
    const stream = world.open();
    stream.create(1, prefix(""));
    stream.create(2, prefix("", 1));
    await world.apply(set("a", "1"));
    stream.cancel(1);
    stream.cancel(2);
    stream.cancel(3);
    stream.create(1, prefix(""));
    await world.apply(set("b", "1"));
    assert.deepEqual(await heard(stream), ["1: 3 b=1", "progress 3"]);
  });

  it("shares what is told with those who want the same", async () => {
    const world = new World();
    const streams = [world.open(), world.open()];
    for (const stream of streams) stream.create(1, { ...prefix("a"), wantPrevious: true });
    await world.apply(set("a", "1"));
    await world.apply(set("a", "2"));
    const told = await Promise.all(streams.map((stream) => stream.next()));
    assert.deepEqual(told[0], told[1]);
    await world.apply(set("a", "3"));
    const [one, other] = await Promise.all(streams.map(async (stream) => (await stream.next())?.[0]));
    assert.ok(one?.kind === "events" && other?.kind === "events");
    assert.equal(one.events, other.events);
  });

  it("knows up to where it has handed out everything", async () => {
    const world = new World(narrow);
    await world.apply(set("a", "1"), set("b", "1"), set("a", "2"));
    const stream = world.open();
    stream.create(1, key("a", 2));
    stream.create(2, key("b", 9));
    assert.equal(stream.toldThrough(1), 1);
    assert.equal(stream.toldThrough(2), undefined);
    assert.equal(stream.toldThrough(3), undefined);
    await idle();
    assert.equal(stream.toldThrough(1), 1, "what is queued is not handed out");
    assert.equal((await stream.next())?.length, 1);
    assert.ok([2, 3].includes(stream.toldThrough(1) ?? 0));
    assert.equal((await stream.next())?.length, 1);
    assert.equal(stream.toldThrough(1), 4);
    await world.apply(set("b", "2"));
    assert.equal(stream.toldThrough(1), 5);
    await world.apply(set("a", "3"), set("a", "4"));
    assert.equal(stream.toldThrough(1), 5);
  });
});

describe("previous values", () => {
  const wanted = { ...prefix("", 1), wantPrevious: true };
  const texts = async (world: World): Promise<readonly string[]> => {
    const stream = world.open();
    stream.create(1, wanted);
    const messages = (await stream.next()) ?? [];
    stream.close();
    return messages.flatMap((message) =>
      message.kind === "events"
        ? message.events.map(({ change, previous }) => {
            const value = previous && Buffer.from(previous.value).toString();
            return `${changeText(change)} was ${String(value)}${previous ? ` at ${String(previous.modRevision)}` : ""}`;
          })
        : [],
    );
  };

  it("come from what is not saved yet, and from the disk", async () => {
    const world = new World();
    await world.apply(set("a", "1"), set("a", "2"), del("a"), set("a", "3"));
    const expected = ["2 a=1 was undefined", "3 a=2 was 1 at 2", "4 -a was 2 at 3", "5 a=3 was undefined"];
    assert.deepEqual(await texts(world), expected);
    world.save();
    assert.deepEqual(await texts(world), expected);
    await world.apply(set("a", "4"));
    assert.deepEqual(await texts(world), [...expected, "6 a=4 was 3 at 5"]);
  });

  it("of many changes are read in portions", async () => {
    const world = new World();
    const many = Array.from({ length: 100 }, (_, at) => String(at));
    await world.apply(...many.map((name) => set(name, "1")), ...many.map((name) => set(name, "2")));
    world.save();
    const all = new Set<string>();
    const stream = world.open();
    stream.create(1, { ...wanted, startRevision: 102 });
    while (all.size < 100) {
      for (const message of (await stream.next()) ?? []) {
        assert.ok(message.kind === "events" && message.events.length <= 64);
        for (const { change, previous } of message.events) {
          assert.equal(Buffer.from(previous?.value ?? []).toString(), "1");
          all.add(change.key);
        }
      }
    }
  });

  it("that the disk should have and has not end the member", async () => {
    const world = new World();
    await world.apply(set("a", "1"));
    world.save();
    const stream = world.open();
    stream.create(1, { ...wanted, startRevision: 0 });
    await world.apply(set("a", "2"));
    world.disk.records.clear();
    await assert.rejects(Promise.resolve(stream.next()), { name: "DamagedRecordError" });
    assert.equal(world.failures.length, 1);
  });
});

describe("a stream", () => {
  it("says nothing more once it is closed", async () => {
    const world = new World();
    const stream = world.open();
    stream.create(1, prefix(""));
    const next = stream.next();
    stream.close();
    assert.equal(await next, undefined);
    await world.apply(set("a", "1"));
    stream.close();
    assert.equal(await stream.next(), undefined);
  });

  it("makes room when it is closed", () => {
    const world = new World({ ...roomy, streams: 1, watches: 2 });
    const stream = world.open();
    assert.throws(() => world.open(), { code: "overloaded" });
    stream.create(1, prefix(""));
    stream.create(2, prefix("", 1));
    assert.throws(() => stream.create(3, prefix("")), { code: "overloaded" });
    stream.cancel(2);
    stream.create(3, prefix(""));
    stream.close();
    const another = world.open();
    another.create(1, prefix(""));
    another.create(2, prefix(""));
  });

  it("makes room for a watch once only, however it ends", async () => {
    const world = new World({ ...roomy, watches: 2 });
    await world.apply(set("a", "1"), set("a", "2"), compact(3));
    const stream = world.open();
    stream.create(1, prefix("", 2));
    await idle();
    stream.cancel(1);
    stream.create(2, prefix(""));
    stream.create(3, prefix(""));
    assert.throws(() => stream.create(4, prefix("")), { code: "overloaded" });
  });

  it("ends with an error when the member stops", async () => {
    const world = new World(narrow);
    await world.apply(set("a", "1"), set("a", "2"));
    const [waiting, reading] = [world.open(), world.open()];
    const next = waiting.next();
    reading.create(1, prefix("", 2));
    await idle();
    world.hub.stop(new DkvError("stopping", "this member is stopping"));
    await assert.rejects(next, { code: "stopping" });
    await assert.rejects(reading.next(), { code: "stopping" });
    assert.throws(() => reading.create(2, prefix("")), { code: "stopping" });
    assert.throws(() => world.open(), { code: "stopping" });
    assert.deepEqual(world.failures, []);
  });

  it("of a member that stops does not complain about a disk that is closed", async () => {
    const world = new World();
    const { promise: gate, reject } = Promise.withResolvers<void>();
    world.disk.gate = gate;
    await world.apply(set("a", "1"));
    const stream = world.open();
    stream.create(1, prefix("", 2));
    await idle();
    world.hub.stop(new DkvError("stopping", "this member is stopping"));
    reject(new Error("closed"));
    await assert.rejects(stream.next(), { code: "stopping" });
    await idle();
    assert.deepEqual(world.failures, []);
  });

  it("of a member that stops does not complain about previous values that cannot be read", async () => {
    const world = new World();
    const names = Array.from({ length: 20 }, (_, at) => String(at));
    await world.apply(...names.map((name) => set(name, "1")));
    world.save();
    const stream = world.open();
    stream.create(1, { ...prefix(""), wantPrevious: true });
    await world.apply(...names.map((name) => set(name, "2")));
    const { promise, reject } = Promise.withResolvers<never>();
    world.disk.getMany = () => promise;
    const next = stream.next();
    world.hub.stop(new DkvError("stopping", "this member is stopping"));
    reject(new Error("closed"));
    await assert.rejects(next, { code: "stopping" });
    assert.deepEqual(world.failures, []);
  });

  it("ends the member when history cannot be read", async () => {
    const world = new World();
    await world.apply(set("a", "1"));
    world.disk.gate = Promise.reject(new Error("damaged"));
    world.disk.gate.catch(() => undefined);
    world.open().create(1, prefix("", 2));
    await idle();
    assert.match(String(world.failures), /damaged/u);
  });

  it("ends with an error when the state of the member turns out to be wrong", async () => {
    const world = new World();
    const next = world.open().next();
    world.refusal = new DkvError("corrupt", "the state differs");
    await world.apply(alarm());
    await assert.rejects(next, { code: "corrupt" });
    assert.throws(() => world.open(), { code: "corrupt" });
  });

  it("waits while there is nothing to say", async () => {
    const world = new World();
    const stream = world.open();
    stream.create(1, key("a"));
    const next = stream.next();
    await world.apply(set("b", "1"));
    assert.ok(await isSilent(next));
    await world.apply(set("a", "1"));
    assert.equal((await next)?.length, 1);
    await heard(stream);
    assert.ok(await isSilent(stream.next()), "progress that was asked for once is told once");
  });

  it("gives its room to others when it is closed", async () => {
    const world = new World({ ...roomy, queuedBytes: 1000 });
    const [slow, quick] = [world.open(), world.open()];
    slow.create(1, prefix("a"));
    quick.create(1, prefix("b"));
    for (let at = 0; at < 10; at += 1) await world.apply(set("a", "1"));
    slow.close();
    await world.apply(set("b", "1"), set("b", "2"));
    assert.deepEqual((await quick.next())?.map(textOf), ["1: 12 b=1, 13 b=2"]);
  });
});
