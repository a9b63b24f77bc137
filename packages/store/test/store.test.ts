import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeCommand } from "../src/command.ts";
import { changeKey } from "../src/keyspace/change-record.ts";
import { prefixes } from "../src/keyspace/prefixes.ts";
import { DamagedRecordError } from "../src/keyspace/record.ts";
import { Store } from "../src/store.ts";
import { command, compact, del, grant, range, removeHistory, revoke, set, txn } from "./commands.ts";
import { bytes, Disk, hex } from "./disk.ts";
import { options, Play, textOf } from "./play.ts";

const first = { index: 1, term: 1 };

test("an empty store is at revision 1 and holds nothing", () => {
  const store = new Store(new Disk(), options);
  assert.equal(store.revision, 1);
  assert.equal(store.appliedIndex, 0);
  assert.equal(store.get(bytes("a")), undefined);
  assert.deepEqual(store.takeChanges(), []);
});

test("revisions and versions of a key are those of etcd", () => {
  const play = new Play();
  play.now(set("a", "1"));
  play.now(set("b", "1"));
  play.now(set("a", "2"));
  const { value, ...facts } = play.store.get(bytes("a")) ?? assert.fail("a is there");
  assert.equal(textOf(value), "2");
  assert.deepEqual(facts, {
    key: Buffer.from("a"),
    createRevision: 2,
    modRevision: 4,
    version: 2,
    lease: 0n,
  });
  assert.deepEqual(play.now(del("a")), { kind: "delete", revision: 5, deleted: 1, previous: [] });
  assert.equal(play.value("a"), undefined);
  play.now(set("a", "3"));
  const again = play.store.get(bytes("a"));
  assert.deepEqual([again?.createRevision, again?.modRevision, again?.version], [6, 6, 1]);
});

test("deleting a missing key changes nothing and gives the current revision", () => {
  const play = new Play();
  play.now(set("a", "1"));
  assert.deepEqual(play.now(del("b")), { kind: "delete", revision: 2, deleted: 0, previous: [] });
  assert.equal(play.store.revision, 2);
  assert.equal(play.store.appliedIndex, 2);
});

test("a command's id comes back with its result, also when it is refused", () => {
  const store = new Store(new Disk(), options);
  const id = { proposer: 7n, sequence: 1 };
  assert.deepEqual(store.apply(first, command(set("a", "1")), { isWanted: true }).id, id);
  const refused = store.apply({ index: 2, term: 1 }, command(set("a", "1", { lease: 1n })), {
    isWanted: true,
  });
  assert.deepEqual(refused, {
    id,
    result: { kind: "refused", revision: 2, reason: "leaseNotFound" },
    changes: [],
  });
});

test("an entry without a command moves the applied index alone, and that becomes durable", () => {
  const play = new Play();
  play.store.skip({ index: 1, term: 3 });
  assert.equal(play.store.hasChanges(), true);
  play.save();
  assert.equal(play.store.hasChanges(), false);
  play.reopen();
  assert.deepEqual([play.store.appliedIndex, play.store.revision], [1, 1]);
});

test("what is being written and what came after are both seen", () => {
  const play = new Play();
  play.now(set("a", "1"));
  play.now(set("b", "1"));
  const taken = play.store.takeChanges();
  play.now(set("a", "2"));
  play.now(del("b"));
  assert.equal(play.value("a"), "2");
  assert.equal(play.value("b"), undefined);
  play.disk.write(taken);
  play.store.persisted();
  assert.equal(play.value("a"), "2", "a later change is not forgotten with an earlier one");
  assert.equal(play.value("b"), undefined);
});

test("two batches may be taken before the first is durable", () => {
  const play = new Play();
  const { disk, store } = play;
  play.now(set("a", "1"));
  const one = store.takeChanges();
  play.now(set("a", "2"));
  const two = store.takeChanges();
  disk.write(one);
  store.persisted();
  assert.equal(play.value("a"), "2");
  disk.write(two);
  store.persisted();
  assert.equal(play.value("a"), "2");
  assert.throws(() => {
    store.persisted();
  }, /only changes that were taken/);
});

test("keys are read from the disk once and then from memory, missing ones too", () => {
  const play = new Play();
  play.now(set("a", "1"));
  play.save();
  play.reopen();
  play.value("a");
  play.value("nothing");
  const { reads } = play.disk;
  assert.equal(play.value("a"), "1");
  assert.equal(play.value("nothing"), undefined);
  assert.equal(play.disk.reads, reads);
});

test("what was written is in memory when it has become durable", () => {
  const play = new Play();
  play.now(set("a", "1"));
  play.save();
  const { reads } = play.disk;
  assert.equal(play.value("a"), "1");
  assert.equal(play.disk.reads, reads);
});

test("what replaces the state as a whole replaces what was cached, and what was not durable", async () => {
  const play = new Play();
  play.now(set("a", "ours"));
  play.now(set("gone", "ours"));
  play.save();
  assert.equal(play.value("a"), "ours");
  assert.equal(play.value("new"), undefined);
  play.now(set("not durable", "ours"));

  const sender = new Play();
  sender.now(set("a", "theirs"));
  sender.now(set("new", "theirs"));
  sender.store.skip({ index: 3, term: 2 });
  sender.store.skip({ index: 4, term: 2 });
  sender.save();
  play.disk.replaceWith(sender.disk);
  play.store.restored();

  assert.deepEqual(
    ["a", "gone", "new", "not durable"].map((key) => play.value(key)),
    ["theirs", undefined, "theirs", undefined],
  );
  assert.deepEqual([play.store.appliedIndex, play.store.revision, play.store.unsavedBytes], [4, 3, 0]);
  assert.equal(play.store.hasChanges(), false);
  assert.deepEqual(await play.history({ revision: 0, sub: 0 }), ["2.0 a=theirs", "3.0 new=theirs"]);
});

test("any key is a key: empty, binary, one the prefix of another", () => {
  const play = new Play();
  const keys = ["", "\0", "a", "a\0", "a\0\0", "a\0\xff", "\xff", "\xff\xff"];
  for (const key of keys) play.now(set(key, `value of ${key}`));
  play.save();
  play.reopen();
  for (const key of keys) assert.equal(play.value(key), `value of ${key}`);
});

test("entries must come in order and terms must not decrease", () => {
  const store = new Store(new Disk(), options);
  store.skip({ index: 1, term: 5 });
  const skipped = (index: number, term: number) => () => {
    store.skip({ index, term });
  };
  assert.throws(skipped(1, 5), /in order/);
  assert.throws(skipped(3, 5), /in order/);
  assert.throws(skipped(2, 4), /never decrease/);
});

test("a committed entry that is no command is known before it counts as applied", () => {
  assert.throws(() => decodeCommand(bytes("no command")));
});

test("what needs the disk is not applied without having been prepared", () => {
  for (const operation of [del("a", "b"), removeHistory, revoke(1n)]) {
    const play = new Play();
    play.now(grant(1n, 5n));
    play.now(compact(1));
    const place = { index: 3, term: 1 };
    const apply = () => play.store.apply(place, command(operation), { isWanted: true });
    assert.throws(apply, /assertion failed/, operation.case);
  }
});

test("what was prepared is let go once it is applied, also if it is refused", async () => {
  const play = new Play();
  play.now(grant(2n, 5n));
  for (const operation of [revoke(1n), revoke(2n)]) {
    const prepared = (await play.store.prepare(command(operation), true)) ?? assert.fail("it reads the disk");
    let releases = 0;
    const release = prepared.release.bind(prepared);
    prepared.release = () => {
      releases += 1;
      release();
    };
    const place = { index: play.store.appliedIndex + 1, term: 1 };
    play.store.apply(place, command(operation), { prepared, isWanted: true });
    assert.equal(releases, 1);
  }
});

test("a flipped bit anywhere in a record is found when it is read", async () => {
  const play = new Play();
  play.now(set("a", "value"));
  play.now(set("a", "other"));
  const changes = play.store.takeChanges();
  const opened = () => new Play(play.disk);
  const reads = new Map<number | undefined, () => Promise<unknown>>([
    [prefixes.position, async () => opened()],
    [prefixes.change, () => opened().history({ revision: 0, sub: 0 })],
    [prefixes.index, () => opened().found(range("a", "b", { revision: 2n }))],
    [prefixes.current, async () => opened().value("a")],
  ]);
  assert.equal(changes.length, 6, "of each set the change and its index; the facts, and the position");
  for (const { key, value: record } of changes) {
    for (let bit = 0; bit < (record?.length ?? 0) * 8; bit += 1) {
      play.disk.write(changes);
      play.disk.damage(key, (whole) => flip(whole, bit));
      await assert.rejects(reads.get(key[0]) ?? assert.fail(), DamagedRecordError);
    }
  }
});

test("a version that is not where it has to be is damage, however it is read", async () => {
  const play = new Play();
  play.now(set("a", "1"));
  play.now(set("b", "1"));
  play.save();
  play.disk.records.delete(hex(changeKey({ revision: 2, sub: 0 })));
  assert.throws(() => new Play(play.disk).value("a"), DamagedRecordError);
  for (const operation of [range("a"), range("a", "c"), range("a", "c", { revision: 2n })]) {
    await assert.rejects(new Play(play.disk).found(operation), DamagedRecordError);
    await assert.rejects(new Play(play.disk).do(txn({ success: [operation] })), DamagedRecordError);
  }
});

test("a damaged, shortened or misplaced record of a key is found when it is read", () => {
  const play = new Play();
  play.now(set("a", "value"));
  play.now(set("b", "other"));
  const changes = play.store.takeChanges();
  const isOf = (key: string) => (one: { readonly key: Uint8Array }) =>
    Buffer.compare(one.key, Buffer.from(`\x20${key}`, "latin1")) === 0;
  const [a, b] = [changes.find(isOf("a")), changes.find(isOf("b"))];
  assert.ok(a !== undefined && b !== undefined);
  const damages = [
    (record: Uint8Array) => flip(record, 300),
    (record: Uint8Array) => record.subarray(0, 5),
    (record: Uint8Array) => record.subarray(1),
    () => b.value ?? assert.fail("b has a record"),
  ];
  for (const damage of damages) {
    play.disk.write(changes);
    play.disk.damage(a.key, damage);
    assert.throws(() => new Play(play.disk).value("a"), DamagedRecordError);
    assert.equal(new Play(play.disk).value("b"), "other");
  }
});

function flip(record: Uint8Array, bit: number): Uint8Array {
  const position = Math.floor(bit / 8) % record.length;
  record[position] = (record[position] ?? 0) ^ (1 << (bit % 8));
  return record;
}
