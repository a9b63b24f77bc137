import assert from "node:assert/strict";
import { test } from "node:test";
import { DamagedRecordError } from "../src/keyspace.ts";
import { Store } from "../src/store.ts";
import { deleteBytes, setBytes } from "./commands.ts";
import { bytes, Disk } from "./disk.ts";

const options = { cacheBytes: 10_000 };
const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : new TextDecoder().decode(value);

function persist(store: Store, disk: Disk): void {
  disk.write(store.takeChanges());
  store.persisted();
}

test("an empty store is at revision 1 and holds nothing", () => {
  const store = new Store(new Disk(), options);
  assert.equal(store.revision, 1);
  assert.equal(store.appliedIndex, 0);
  assert.equal(store.get(bytes("a")), undefined);
  assert.deepEqual(store.takeChanges(), []);
});

test("revisions and versions of a key are those of etcd", () => {
  const store = new Store(new Disk(), options);
  store.apply(1, 1, setBytes("a", "1"));
  store.apply(2, 1, setBytes("b", "1"));
  store.apply(3, 1, setBytes("a", "2"));
  const { value, ...history } = store.get(bytes("a")) ?? assert.fail("a is there");
  assert.equal(text(value), "2");
  assert.deepEqual(history, { key: bytes("a"), createRevision: 2, modRevision: 4, version: 2 });
  assert.deepEqual(store.apply(4, 1, deleteBytes("a")).result, {
    kind: "delete",
    revision: 5,
    deleted: true,
  });
  assert.equal(store.get(bytes("a")), undefined);
  store.apply(5, 1, setBytes("a", "3"));
  const again = store.get(bytes("a"));
  assert.deepEqual([again?.createRevision, again?.modRevision, again?.version], [6, 6, 1]);
});

test("deleting a missing key changes nothing and gives the current revision", () => {
  const store = new Store(new Disk(), options);
  store.apply(1, 1, setBytes("a", "1"));
  assert.deepEqual(store.apply(2, 1, deleteBytes("b")).result, {
    kind: "delete",
    revision: 2,
    deleted: false,
  });
  assert.equal(store.revision, 2);
  assert.equal(store.appliedIndex, 2);
});

test("a command's id comes back with its result", () => {
  const store = new Store(new Disk(), options);
  assert.deepEqual(store.apply(1, 1, setBytes("a", "1")).id, { proposer: 7n, sequence: 1 });
});

test("an entry without a command moves the applied index alone, and that becomes durable", () => {
  const disk = new Disk();
  const store = new Store(disk, options);
  store.skip(1, 3);
  assert.equal(store.hasChanges(), true);
  persist(store, disk);
  assert.equal(store.hasChanges(), false);
  const reopened = new Store(disk, options);
  assert.deepEqual([reopened.appliedIndex, reopened.revision], [1, 1]);
});

test("what is being written and what came after are both seen", () => {
  const disk = new Disk();
  const store = new Store(disk, options);
  store.apply(1, 1, setBytes("a", "1"));
  store.apply(2, 1, setBytes("b", "1"));
  const first = store.takeChanges();
  store.apply(3, 1, setBytes("a", "2"));
  store.apply(4, 1, deleteBytes("b"));
  assert.equal(text(store.get(bytes("a"))?.value), "2");
  assert.equal(store.get(bytes("b")), undefined);
  disk.write(first);
  store.persisted();
  assert.equal(
    text(store.get(bytes("a"))?.value),
    "2",
    "a later change is not forgotten with an earlier one",
  );
  assert.equal(store.get(bytes("b")), undefined);
});

test("two batches may be taken before the first is durable", () => {
  const disk = new Disk();
  const store = new Store(disk, options);
  store.apply(1, 1, setBytes("a", "1"));
  const first = store.takeChanges();
  store.apply(2, 1, setBytes("a", "2"));
  const second = store.takeChanges();
  disk.write(first);
  store.persisted();
  assert.equal(text(store.get(bytes("a"))?.value), "2");
  disk.write(second);
  store.persisted();
  assert.equal(text(store.get(bytes("a"))?.value), "2");
  assert.throws(() => {
    store.persisted();
  }, /only changes that were taken/);
});

test("keys are read from the disk once and then from memory, missing ones too", () => {
  const disk = new Disk();
  const store = new Store(disk, options);
  store.apply(1, 1, setBytes("a", "1"));
  persist(store, disk);
  const reopened = new Store(disk, options);
  reopened.get(bytes("a"));
  reopened.get(bytes("nothing"));
  const { reads } = disk;
  assert.equal(text(reopened.get(bytes("a"))?.value), "1");
  assert.equal(reopened.get(bytes("nothing")), undefined);
  assert.equal(disk.reads, reads);
});

test("what replaces the state as a whole replaces what was cached, and what was not durable", () => {
  const disk = new Disk();
  const store = new Store(disk, options);
  store.apply(1, 1, setBytes("a", "ours"));
  store.apply(2, 1, setBytes("gone", "ours"));
  persist(store, disk);
  assert.equal(text(store.get(bytes("a"))?.value), "ours");
  assert.equal(store.get(bytes("new")), undefined);
  store.apply(3, 1, setBytes("not durable", "ours"));

  const other = new Disk();
  const sender = new Store(other, options);
  sender.apply(1, 1, setBytes("a", "theirs"));
  sender.apply(2, 1, setBytes("new", "theirs"));
  sender.skip(3, 2);
  sender.skip(4, 2);
  persist(sender, other);
  disk.replaceWith(other);
  store.restored();

  assert.deepEqual(
    ["a", "gone", "new", "not durable"].map((key) => text(store.get(bytes(key))?.value)),
    ["theirs", undefined, "theirs", undefined],
  );
  assert.deepEqual([store.appliedIndex, store.revision, store.unsavedBytes], [4, 3, 0]);
  assert.equal(store.hasChanges(), false);
});

test("any key is a key: empty, binary, one the prefix of another", () => {
  const disk = new Disk();
  const store = new Store(disk, options);
  const keys = ["", "\u0000", "a", "a\u0000", "ä€😀"];
  for (const [position, key] of keys.entries())
    store.apply(position + 1, 1, setBytes(key, `value of ${key}`));
  persist(store, disk);
  const reopened = new Store(disk, options);
  for (const key of keys) assert.equal(text(reopened.get(bytes(key))?.value), `value of ${key}`);
});

test("entries must come in order and terms must not decrease", () => {
  const store = new Store(new Disk(), options);
  store.skip(1, 5);
  assert.throws(() => {
    store.skip(1, 5);
  }, /in order/);
  assert.throws(() => {
    store.skip(3, 5);
  }, /in order/);
  assert.throws(() => {
    store.skip(2, 4);
  }, /never decrease/);
});

test("a committed entry that is no command stops the store before it counts as applied", () => {
  const store = new Store(new Disk(), options);
  assert.throws(() => store.apply(1, 1, bytes("no command")));
  assert.equal(store.appliedIndex, 0);
});

test("a flipped bit anywhere in a record is found when it is read", () => {
  const disk = new Disk();
  const store = new Store(disk, options);
  store.apply(1, 1, setBytes("a", "value"));
  const changes = store.takeChanges();
  const reads = [() => new Store(disk, options).get(bytes("a")), () => new Store(disk, options)];
  assert.equal(changes.length, reads.length);
  for (const [position, { key, value: record }] of changes.entries()) {
    for (let bit = 0; bit < (record?.length ?? 0) * 8; bit += 1) {
      disk.write(changes);
      disk.damage(key, (whole) => flip(whole, bit));
      assert.throws(reads[position] ?? assert.fail(), DamagedRecordError);
    }
  }
});

test("a damaged, shortened or misplaced record of a key is found when it is read", () => {
  const disk = new Disk();
  const store = new Store(disk, options);
  store.apply(1, 1, setBytes("a", "value"));
  store.apply(2, 1, setBytes("b", "other"));
  const changes = store.takeChanges();
  const [a, b] = changes;
  assert.ok(a !== undefined && b !== undefined);
  const damages = [
    (record: Uint8Array) => flip(record, 300),
    (record: Uint8Array) => record.subarray(0, 5),
    (record: Uint8Array) => record.subarray(1),
    () => b.value ?? assert.fail("b has a record"),
  ];
  for (const damage of damages) {
    disk.write(changes);
    disk.damage(a.key, damage);
    assert.throws(() => new Store(disk, options).get(bytes("a")), DamagedRecordError);
    assert.equal(text(new Store(disk, options).get(bytes("b"))?.value), "other");
  }
});

function flip(record: Uint8Array, bit: number): Uint8Array {
  const position = Math.floor(bit / 8) % record.length;
  record[position] = (record[position] ?? 0) ^ (1 << (bit % 8));
  return record;
}
