/** A snapshot takes the place of log and state. For crashes meanwhile see install-crash.test.ts. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { logIndex } from "@dkv/raft";
import { incomingKey } from "../../src/storage/state/keyspace.ts";
import { Batch, Database } from "../../src/storage/state/leveldb.ts";
import type { InstalledSnapshot, Storage } from "../../src/storage/storage.ts";
import { appendUpTo, apply, far } from "./compacting.ts";
import {
  batch,
  changes,
  databaseIn,
  entry,
  hardState,
  logIn,
  open,
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

test("a snapshot takes the place of log and state, for everybody who reads them already", async (context) => {
  const from = await source(context);
  const dataDir = await temporaryDirectory(context);
  await withStorage(dataDir, async (storage) => {
    await writeTarget(storage);
    const { log, state } = storage;
    await transfer(from, storage);
    checkOld(storage);
    await storage.append(batch({ hardState: promised, entries: following, snapshot: installed }));
    checkNew(storage);
    assert.equal(log.firstIndex, 21);
    assert.equal(writtenValue({ state }, "who"), "source");
  });
  assert.deepEqual(generationsIn(dataDir), ["0000000002"]);
  await withStorage(dataDir, async (storage) => {
    checkNew(storage);
    assert.deepEqual(storage.hardState, promised);
    assert.equal(storage.identity.name, "one");
    await storage.append(batch({ entries: [entry(23, 4)] }));
    await storage.save(storeRecords(storage.state, { index: 23, term: 4 }, { who: "target again" }));
  });
  await withStorage(dataDir, (storage) => {
    assert.equal(storage.log.lastIndex, 23);
    assert.equal(writtenValue(storage, "who"), "target again");
  });
});

test("the directory stays in use by this process, and is nobody else's", async (context) => {
  const from = await source(context);
  const dataDir = await temporaryDirectory(context);
  await withStorage(dataDir, async (storage) => {
    await transfer(from, storage);
    const inUse = /another dkv uses the data directory/;
    await assert.rejects(open(dataDir), inUse);
    const installing = storage.append(
      batch({ hardState: promised, snapshot: installed, entries: following }),
    );
    await assert.rejects(open(dataDir), inUse);
    await installing;
    await assert.rejects(open(dataDir), inUse);
    checkNew(storage);
  });
  await withStorage(dataDir, checkNew);
});

test("what was installed and promised with it may not be missing later", async (context) => {
  const from = await source(context);
  const dataDir = await temporaryDirectory(context);
  await withStorage(dataDir, async (storage) => {
    await transfer(from, storage);
    await storage.append(batch({ hardState: promised, snapshot: installed, entries: following }));
  });
  const database = await Database.open(databaseIn(dataDir, 2), "existing");
  assert.equal(database.get(incomingKey), undefined, "it is no part of a snapshot any more");
  await database.close();
  const path = join(logIn(dataDir, 2), "0000000001.log");
  const whole = readFileSync(path);
  writeFileSync(path, Buffer.from(whole).fill(0, 512));
  await assert.rejects(open(dataDir), /records 1 to 1 of the log were synced and are missing/);
  writeFileSync(path, whole);
  await withStorage(dataDir, checkNew);
});

test("without a hard state of its own the promises made before stay, and the log goes on behind the snapshot", async (context) => {
  const from = await source(context);
  const dataDir = await temporaryDirectory(context);
  await withStorage(dataDir, async (storage) => {
    await storage.append(batch({ hardState: hardState(3, 0, 8n), entries: [entry(1, 1)] }));
    await transfer(from, storage);
    await storage.append(batch({ snapshot: installed }));
    assert.deepEqual([storage.log.firstIndex, storage.log.lastIndex], [21, 20]);
    await assert.rejects(storage.append(batch({ entries: [entry(20, 3)] })), /without a gap/);
  });
  await withStorage(dataDir, (storage) => {
    assert.deepEqual(storage.hardState, hardState(3, 20, 8n));
    assert.deepEqual([storage.log.firstIndex, storage.log.lastIndex], [21, 20]);
  });
});

test("one snapshot after another, with a compaction in between", async (context) => {
  const from = await source(context);
  const dataDir = await temporaryDirectory(context);
  await withStorage(dataDir, async (storage) => {
    for (const round of [1, 2, 3]) {
      await transfer(from, storage);
      const compacting = storage.compact(logIndex(1000));
      await storage.append(batch({ hardState: promised, entries: following, snapshot: installed }));
      await compacting;
      checkNew(storage);
      await storage.save(changes([], { index: 21, term: 3 }));
      assert.ok(existsSync(join(dataDir, `000000000${String(round + 1)}`)));
    }
  });
  assert.deepEqual(generationsIn(dataDir), ["0000000004"]);
});

test("only what was received as a whole, and is meant, is installed", async (context) => {
  const from = await source(context);
  const wrong: readonly (readonly [RegExp, (storage: Storage) => Promise<unknown>, InstalledSnapshot])[] = [
    [/only a complete snapshot is installed/, () => Promise.resolve(), installed],
    [
      /only a complete snapshot is installed/,
      (storage) => {
        const snapshot = from.takeSnapshot();
        context.after(() => snapshot.close());
        return receive(snapshot, storage, 1);
      },
      installed,
    ],
    [
      /only a complete snapshot is installed/,
      (storage) => transfer(from, storage),
      { ...installed, last: { ...installed.last, index: logIndex(19) } },
    ],
  ];
  for (const [what, prepare, snapshot] of wrong) {
    const dataDir = await temporaryDirectory(context);
    await withStorage(dataDir, async (storage) => {
      await writeTarget(storage);
      await prepare(storage);
      await assert.rejects(storage.append(batch({ hardState: promised, snapshot })), what);
      await assert.rejects(storage.append(batch({ hardState: promised })), /stopped after a failed write/);
    });
    await withStorage(dataDir, checkOld);
  }
});

test("a snapshot of a later term than the current one is refused", async (context) => {
  const from = await source(context);
  await withStorage(await temporaryDirectory(context), async (storage) => {
    await writeTarget(storage);
    await transfer(from, storage);
    await assert.rejects(
      storage.append(batch({ hardState: hardState(2, 20), snapshot: installed })),
      /a snapshot is not of a later term than the current one/,
    );
  });
});

test("nothing is saved while a snapshot is installed", async (context) => {
  const from = await source(context);
  for (const first of ["save", "install"]) {
    await withStorage(await temporaryDirectory(context), async (storage) => {
      await writeTarget(storage);
      await transfer(from, storage);
      const save = (): Promise<void> => storage.save(changes([], { index: 5, term: 1 }));
      const install = (): Promise<void> =>
        storage.append(batch({ hardState: promised, entries: following, snapshot: installed }));
      const [before, after] = first === "save" ? [save, install] : [install, save];
      const running = before();
      await assert.rejects(after(), /nothing is saved while a snapshot is installed/);
      await running;
    });
  }
});

test("what asks to be received during an install waits for it", async (context) => {
  const from = await source(context);
  const dataDir = await temporaryDirectory(context);
  await withStorage(dataDir, async (storage) => {
    await writeTarget(storage);
    await transfer(from, storage);
    const installing = storage.append(
      batch({ hardState: promised, entries: following, snapshot: installed }),
    );
    while (!existsSync(logIn(dataDir, 2))) await turn();
    const [, next] = await Promise.all([installing, transfer(from, storage)]);
    checkNew(storage);
    await next.close();
    await storage.append(batch({ hardState: promised, entries: following, snapshot: installed }));
    checkNew(storage);
  });
  assert.deepEqual(generationsIn(dataDir), ["0000000003"]);
});

/** What was asked for by now has begun. */
const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** A log of several segments, of which some can be dropped, and a complete snapshot. */
async function readyForBoth(context: TestContext, storage: Storage): Promise<void> {
  await appendUpTo(storage, 300);
  await apply(storage, 200);
  await transfer(await source(context), storage);
}

test("an install waits for a compaction that is under way", async (context) => {
  const dataDir = await temporaryDirectory(context);
  await withStorage(dataDir, async (storage) => {
    await readyForBoth(context, storage);
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    const real = Batch.prototype.commit;
    context.mock.method(Batch.prototype, "commit", async function commit(this: Batch) {
      await held;
      await real.call(this);
    });
    const compacting = storage.compact(far);
    const installing = storage.append(
      batch({ hardState: promised, entries: following, snapshot: installed }),
    );
    await turn();
    assert.equal(existsSync(logIn(dataDir, 2)), false);
    letGo();
    await Promise.all([compacting, installing]);
    context.mock.restoreAll();
    checkNew(storage);
  });
});

test("nothing is compacted that an install replaces as a whole", async (context) => {
  await withStorage(await temporaryDirectory(context), async (storage) => {
    await readyForBoth(context, storage);
    const batches = context.mock.method(Batch.prototype, "commit");
    const installing = storage.append(
      batch({ hardState: promised, entries: following, snapshot: installed }),
    );
    await Promise.all([storage.compact(far), installing]);
    assert.equal(batches.mock.callCount(), 1);
    context.mock.restoreAll();
    checkNew(storage);
  });
});

test("nothing is received after closing", async (context) => {
  const from = await source(context);
  const { storage } = await open(await temporaryDirectory(context));
  await storage.close();
  const snapshot = from.takeSnapshot();
  await assert.rejects(storage.receiveSnapshot(snapshot.header), /the storage is closed/);
  await snapshot.close();
});
