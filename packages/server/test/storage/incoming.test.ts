/** Snapshots that come in beside the data, one after another, until one is installed. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Database } from "../../src/storage/state/leveldb.ts";
import { seal } from "../../src/storage/checksum.ts";
import { incomingKey } from "../../src/storage/state/keyspace.ts";
import {
  batch,
  changes,
  databaseIn,
  entry,
  hardState,
  stateKey,
  temporaryDirectory,
  withStorage,
} from "./fixtures.ts";
import {
  checkNew,
  checkOld,
  following,
  generationsIn,
  installed,
  promised,
  receive,
  source,
  transfer,
  writtenValue,
  writeTarget,
} from "./installing.ts";
import { storeRecords } from "./store-records.ts";

test("a part of a snapshot survives a restart; what else was left does not", async (context) => {
  const from = await source(context);
  const snapshot = from.takeSnapshot();
  context.after(() => snapshot.close());
  const dataDir = await temporaryDirectory(context);
  await withStorage(dataDir, async (storage) => {
    await writeTarget(storage);
    await receive(snapshot, storage, 2);
  });
  for (const stale of ["0000000007/db", "0000000003/db"])
    mkdirSync(join(dataDir, stale), { recursive: true });
  await withStorage(dataDir, async (storage) => {
    assert.deepEqual(generationsIn(dataDir), ["0000000001", "0000000002"]);
    checkOld(storage);
    const again = await storage.receiveSnapshot(snapshot.header);
    assert.equal(again.received, 2);
    await again.close();
    await receive(snapshot, storage);
    await storage.append(batch({ hardState: promised, entries: following, snapshot: installed }));
    checkNew(storage);
  });
  const empty = join(dataDir, "0000000003", "db");
  mkdirSync(empty, { recursive: true });
  writeFileSync(join(empty, "LOCK"), "");
  await withStorage(dataDir, checkNew);
  assert.deepEqual(
    generationsIn(dataDir),
    ["0000000002"],
    "what cannot be gone on with is no leftover to keep",
  );
});

test("a part of a snapshot that another version stored is dropped, and received anew", async (context) => {
  const from = await source(context);
  const snapshot = from.takeSnapshot();
  context.after(() => snapshot.close());
  const dataDir = await temporaryDirectory(context);
  await withStorage(dataDir, async (storage) => {
    await writeTarget(storage);
    await receive(snapshot, storage, 2);
  });
  const database = await Database.open(databaseIn(dataDir, 2), "existing");
  const body = Buffer.from((database.get(incomingKey) ?? assert.fail("a part is there")).subarray(0, -4));
  body[0] = 2;
  const other = database.batch();
  other.put(incomingKey, seal(incomingKey, body));
  other.put(stateKey("of that version"), Buffer.from("means nothing here"));
  await other.commit();
  await database.close();
  await withStorage(dataDir, async (storage) => {
    checkOld(storage);
    assert.deepEqual(generationsIn(dataDir), ["0000000001"], "it is no leftover to keep");
    const again = await receive(snapshot, storage, 1);
    assert.equal(again.received, 1, "from the first chunk on");
    await receive(snapshot, storage);
    await storage.append(batch({ hardState: promised, entries: following, snapshot: installed }));
    checkNew(storage);
    assert.equal(storage.state.get(stateKey("of that version")), undefined);
  });
});

test("a complete snapshot that is asked for again is as it was", async (context) => {
  const from = await source(context);
  await withStorage(await temporaryDirectory(context), async (storage) => {
    await writeTarget(storage);
    const snapshot = from.takeSnapshot();
    const first = await receive(snapshot, storage);
    await first.close();
    const again = await storage.receiveSnapshot(snapshot.header);
    assert.equal(again.received, first.received);
    await again.finish({ chunks: again.received, records: 0, chain: 0 });
    await snapshot.close();
    await storage.append(batch({ hardState: promised, entries: following, snapshot: installed }));
    checkNew(storage);
  });
});

test("a complete snapshot is still there when another one comes in, and that one goes on afterwards", async (context) => {
  const from = await source(context);
  const dataDir = await temporaryDirectory(context);
  await withStorage(dataDir, async (storage) => {
    await writeTarget(storage);
    await transfer(from, storage);
    await from.save(storeRecords(from.state, { index: 25, term: 3 }, { who: "source, later" }));
    const later = from.takeSnapshot();
    await receive(later, storage, 1);
    await storage.append(batch({ hardState: promised, entries: following, snapshot: installed }));
    checkNew(storage);
    const again = await receive(later, storage);
    assert.ok(again.received > 1);
    await later.close();
    const { last, configuration: inForce } = later.header;
    await storage.append(batch({ hardState: hardState(4, 25), snapshot: { last, configuration: inForce } }));
    assert.deepEqual([storage.log.firstIndex, writtenValue(storage, "who")], [26, "source, later"]);
  });
  assert.deepEqual(generationsIn(dataDir), ["0000000003"]);
});

test("an install passes over complete snapshots that do not go as far, and they are deleted", async (context) => {
  const from = await source(context);
  const dataDir = await temporaryDirectory(context);
  const closed = context.mock.method(Database.prototype, "close");
  await withStorage(dataDir, async (storage) => {
    await transfer(from, storage);
    await from.save(storeRecords(from.state, { index: 25, term: 3 }, { who: "source, later" }));
    const { header } = await transfer(from, storage);
    assert.deepEqual(generationsIn(dataDir), ["0000000001", "0000000002", "0000000003"]);
    await storage.append(batch({ hardState: hardState(4, 25), snapshot: header }));
    assert.equal(storage.log.firstIndex, 26);
  });
  assert.deepEqual(generationsIn(dataDir), ["0000000003"]);
  assert.equal(closed.mock.callCount(), 3, "the old, the one that was passed over, and the new");
  context.mock.restoreAll();
});

test("of complete snapshots that nobody installs the newest two are kept, and one that is not complete gives way", async (context) => {
  const from = await source(context);
  const dataDir = await temporaryDirectory(context);
  await withStorage(dataDir, async (storage) => {
    const partial = from.takeSnapshot();
    const unfinished = await receive(partial, storage, 1);
    const oldest = await transfer(from, storage);
    await assert.rejects(unfinished.write(Buffer.alloc(0)), /closed/);
    await partial.close();
    for (const index of [21, 22]) {
      await from.save(changes([], { index, term: 3 }));
      await transfer(from, storage);
    }
    assert.deepEqual(generationsIn(dataDir), ["0000000001", "0000000003", "0000000004"]);
    assert.equal(oldest.header.last.index, 20);
    await assert.rejects(
      storage.append(batch({ hardState: promised, snapshot: installed })),
      /only a complete snapshot is installed/,
    );
  });
});

test("one that is just being finished is complete before another one may come in", async (context) => {
  const from = await source(context);
  await withStorage(await temporaryDirectory(context), async (storage) => {
    const snapshot = from.takeSnapshot();
    const incoming = await storage.receiveSnapshot(snapshot.header);
    const chunks = snapshot.chunks(0);
    let next = await chunks.next();
    for (; next.done !== true; next = await chunks.next()) await incoming.write(next.value);
    const other = from.takeSnapshot();
    await Promise.all([incoming.finish(next.value), storage.receiveSnapshot(other.header)]);
    await storage.append(batch({ hardState: promised, entries: following, snapshot: installed }));
    checkNew(storage);
    await snapshot.close();
    await other.close();
  });
});

test("a complete snapshot that is dropped is deleted, and the others stay", async (context) => {
  const from = await source(context);
  const dataDir = await temporaryDirectory(context);
  await withStorage(dataDir, async (storage) => {
    await writeTarget(storage);
    const { header } = await transfer(from, storage);
    await from.save(changes([], { index: 25, term: 3 }));
    const later = from.takeSnapshot();
    await receive(later, storage, 1);
    await storage.dropReceived({ ...header, snapshotId: header.snapshotId ^ 1n });
    await storage.dropReceived(later.header);
    assert.deepEqual(generationsIn(dataDir), ["0000000001", "0000000002", "0000000003"]);
    await storage.dropReceived(header);
    assert.deepEqual(generationsIn(dataDir), ["0000000001", "0000000003"]);
    const again = await receive(later, storage, 2);
    assert.equal(again.received, 2, "it goes on where it is");
    assert.deepEqual(generationsIn(dataDir), ["0000000001", "0000000003"]);
    await receive(later, storage);
    await later.close();
    await storage.append(batch({ hardState: hardState(4, 25), snapshot: later.header }));
    assert.equal(storage.log.firstIndex, 26);
  });
  assert.deepEqual(generationsIn(dataDir), ["0000000003"]);
});

test("a start deletes what was received of a state that this member has come past", async (context) => {
  const from = await source(context);
  const snapshot = from.takeSnapshot();
  context.after(() => snapshot.close());
  for (const [applied, chunks, isKept] of [
    [19, 2, true],
    [19, Number.POSITIVE_INFINITY, true],
    [20, 2, false],
    [20, Number.POSITIVE_INFINITY, false],
  ] as const) {
    const dataDir = await temporaryDirectory(context);
    await withStorage(dataDir, async (storage) => {
      const entries = Array.from({ length: 20 }, (_, position) => entry(position + 1, 3));
      await storage.append(batch({ hardState: hardState(3, 20), entries }));
      await storage.save(changes([], { index: applied, term: 3 }));
      await receive(snapshot, storage, chunks);
    });
    await withStorage(dataDir, () => undefined);
    assert.deepEqual(generationsIn(dataDir), isKept ? ["0000000001", "0000000002"] : ["0000000001"]);
  }
});

test("closing does not wait until all of a snapshot has been checked", async (context) => {
  const from = await source(context);
  const dataDir = await temporaryDirectory(context);
  const snapshot = from.takeSnapshot();
  await withStorage(dataDir, async (storage) => {
    const incoming = await storage.receiveSnapshot(snapshot.header);
    const chunks = snapshot.chunks(0);
    let next = await chunks.next();
    for (; next.done !== true; next = await chunks.next()) await incoming.write(next.value);
    const finishing = assert.rejects(incoming.finish(next.value), /closed while it was checked/);
    // Its turn has come.
    await Promise.resolve();
    await storage.close();
    await finishing;
  });
  await withStorage(dataDir, async (storage) => {
    const again = await receive(snapshot, storage);
    await again.close();
  });
  await snapshot.close();
});
