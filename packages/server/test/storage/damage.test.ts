/**
 * Damage to a data directory, much of which LevelDB does not report. Whatever is done to the files, a member
 * either refuses to start or has everything that it ever acknowledged. For the log's files see
 * log-damage.test.ts.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { decodeCommand, readPosition, Store } from "@dkv/store";
import { StartupError } from "../../src/platform/startup-error.ts";
import { openStorage } from "../../src/storage/open-storage.ts";
import { markerKey } from "../../src/storage/state/keyspace.ts";
import { Database } from "../../src/storage/state/leveldb.ts";
import {
  batch,
  change,
  changes,
  databaseIn,
  entry,
  hardState,
  identity,
  logIn,
  logOf,
  open,
  setCommand,
  startOf,
  stateKey,
  temporaryDirectory,
  text,
  withStorage,
} from "./fixtures.ts";

const opener = fileURLToPath(new URL("open-each.ts", import.meta.url));

const count = 60;

/** Large enough for LevelDB's log to have several of the blocks that it reads and drops as one. */
const valueFor = (index: number): string => `${String(index)} `.repeat(20 * (index % 90));

async function writeSome(dataDir: string, from = 1): Promise<void> {
  await withStorage(dataDir, async (storage) => {
    for (let index = from; index < from + count; index += 1) {
      await storage.append(
        batch({
          hardState: hardState(index, index - 1, BigInt(index)),
          entries: [entry(index, index, valueFor(index))],
        }),
      );
      const made = change(`key ${String(index)}`, valueFor(index));
      await storage.save(changes([made], { index, term: index }));
    }
  });
}

/** The log has every entry, and the state all that it says it has applied of them. */
async function checkAll(dataDir: string, last: number): Promise<void> {
  await withStorage(dataDir, (storage) => {
    assert.equal(logOf(storage).length, last);
    const { appliedIndex } = readPosition(storage.state);
    for (let index = 1; index <= last; index += 1) {
      const value = index <= appliedIndex ? valueFor(index) : undefined;
      assert.equal(text(storage.state.get(stateKey(`key ${String(index)}`))), value);
    }
  });
}

/** Refuses, and goes on refusing: opening must not wipe out the traces. */
async function assertRefused(dataDir: string, what: RegExp): Promise<void> {
  for (const attempt of ["first", "second"]) {
    await assert.rejects(open(dataDir), (error) => {
      assert.ok(error instanceof StartupError, `${attempt} attempt: ${String(error)}`);
      assert.equal(error.kind, "environment");
      assert.match(error.message, what);
      assert.match(
        error.message,
        /must not be started with this directory again.*member-replace NAME NAME ADDRESS.*join anew with an empty directory/,
      );
      assert.ok(error.message.includes(dataDir));
      assert.ok(!error.message.includes("\n"));
      return true;
    });
  }
}

async function filesOf(dataDir: string, suffix: string): Promise<readonly string[]> {
  const names = await readdir(databaseIn(dataDir));
  return names.filter((name) => name.endsWith(suffix)).map((name) => join(databaseIn(dataDir), name));
}

async function only(files: Promise<readonly string[]>): Promise<string> {
  const [file, ...others] = await files;
  assert.ok(file !== undefined && others.length === 0);
  return file;
}

/** A directory with written batches, and copies of it to be damaged one by one. */
async function prepared(context: TestContext): Promise<{ dataDir: string; copy: () => Promise<string> }> {
  const parent = await temporaryDirectory(context);
  const dataDir = join(parent, "whole");
  await writeSome(dataDir);
  let copies = 0;
  return {
    dataDir,
    copy: async () => {
      copies += 1;
      const target = join(parent, String(copies));
      await cp(dataDir, target, { recursive: true });
      return target;
    },
  };
}

test("a flipped byte anywhere in LevelDB's log is refused, or costs nothing that the log does not have", async (context) => {
  const { dataDir, copy } = await prepared(context);
  const log = await readFile(await only(filesOf(dataDir, ".log")));
  const step = Math.ceil(log.length / 120);
  // The first bytes are the header of the first record; from there on any place will do.
  const positions = [0, 4, 5, 6, 7, log.length - 1];
  for (let position = 8; position < log.length; position += step) positions.push(position);
  let refused = 0;
  for (const position of positions) {
    const damaged = await copy();
    const bytes = Buffer.from(log);
    bytes[position] = (bytes[position] ?? 0) ^ 0x10;
    await writeFile(await only(filesOf(damaged, ".log")), bytes);
    if (position < log.length / 2) {
      await assertRefused(damaged, /missing/);
      refused += 1;
    } else {
      const [outcome] = await Promise.allSettled([checkAll(damaged, count)]);
      if (outcome.status === "rejected") await assertRefused(damaged, /missing/);
    }
    await rm(damaged, { recursive: true });
  }
  assert.ok(refused > 50);
  await checkAll(dataDir, count);
});

test("a hole in the middle is named by its batches and the entries around it", async (context) => {
  const { dataDir } = await prepared(context);
  const file = await only(filesOf(dataDir, ".log"));
  const log = await readFile(file);
  const middle = log.indexOf("30 30 30");
  log[middle] = 0;
  await writeFile(file, log);
  await assertRefused(
    dataDir,
    /batches \d+ to \d+ are missing from the middle of the database, between the states after log entries \d+ and \d+/,
  );
});

test("a deleted log file is refused", async (context) => {
  const { dataDir } = await prepared(context);
  await rm(await only(filesOf(dataDir, ".log")));
  await assertRefused(dataDir, /the record is missing that says whose directory this is/);
});

test("a deleted log file is refused when older data is in tables", async (context) => {
  const { dataDir } = await prepared(context);
  await writeSome(dataDir, count + 1);
  await rm(await only(filesOf(dataDir, ".log")));
  await assertRefused(
    dataDir,
    /batches 62 to 120 of the state were synced and are missing, and with them what came of the log after entry 60/,
  );
});

test("a log file cut off below what the log knows of is refused, wherever it is cut", async (context) => {
  const { dataDir, copy } = await prepared(context);
  const { length } = await readFile(await only(filesOf(dataDir, ".log")));
  for (const cut of [Math.floor(length / 4), Math.floor(length / 2), length - 1, length]) {
    const damaged = await copy();
    await truncate(await only(filesOf(damaged, ".log")), length - cut);
    await assertRefused(damaged, /missing/);
  }
  // Of the newest batch the log does not know; but it has the entries that made it.
  for (const cut of [1, 2, 100]) {
    const damaged = await copy();
    await truncate(await only(filesOf(damaged, ".log")), length - cut);
    await checkAll(damaged, count);
  }
});

test("a log of another time is refused, in either direction", async (context) => {
  const { dataDir, copy } = await prepared(context);
  const earlier = await copy();
  await writeSome(dataDir, count + 1);
  const later = await copy();
  await rm(logIn(later), { recursive: true });
  await cp(logIn(earlier), logIn(later), { recursive: true });
  await assertRefused(later, /records 61 to 120 of the log were synced and are missing/);
  await rm(logIn(earlier), { recursive: true });
  await cp(logIn(dataDir), logIn(earlier), { recursive: true });
  await assertRefused(earlier, /batches 62 to 120 of the state were synced and are missing/);
  await checkAll(dataDir, 2 * count);
});

test("a database or a log that is missing, or misses a file, is refused", async (context) => {
  const { dataDir, copy } = await prepared(context);
  const noDatabase = await copy();
  await rm(databaseIn(noDatabase), { recursive: true });
  await assertRefused(noDatabase, /the database is missing that belongs to the log/);

  const noCurrent = await copy();
  await rm(join(databaseIn(noCurrent), "CURRENT"));
  await assertRefused(noCurrent, /the file CURRENT is missing/);

  const noLog = await copy();
  await rm(logIn(noLog), { recursive: true });
  await assertRefused(noLog, /the log is missing/);

  await checkAll(dataDir, count);
  await rm(await only(filesOf(dataDir, ".ldb")));
  await assertRefused(dataDir, /LevelDB found a damaged file: .*missing files/);
});

test("batches that are missing before the first one left are refused", async (context) => {
  const { dataDir } = await prepared(context);
  // As when the older of two log files is gone and the newer one is there.
  const database = await Database.open(databaseIn(dataDir), "existing");
  const older = database.batch();
  for (let number = 1; number <= 20; number += 1) older.delete(markerKey(number));
  await older.commit();
  await database.close();
  await assertRefused(dataDir, /batches 2 to 20 are missing/);
});

test("a state that was made from another log is refused", async (context) => {
  const dataDir = await temporaryDirectory(context);
  await withStorage(dataDir, async (storage) => {
    await storage.append(batch({ hardState: hardState(9), entries: [entry(1, 1), entry(2, 1)] }));
    await storage.save(changes([], { index: 1, term: 7 }));
  });
  await assertRefused(dataDir, /log entry 1, which was applied last, is not in the log or not of term 7/);
});

test("the log of another directory is refused", async (context) => {
  const { dataDir, copy } = await prepared(context);
  const other = await temporaryDirectory(context);
  const foreign = { ...identity, clusterId: 0xc2n };
  await (await openStorage({ ...startOf(other), identity: foreign })).storage.close();
  const mixed = await copy();
  await rm(logIn(mixed), { recursive: true });
  await cp(logIn(other), logIn(mixed), { recursive: true });
  await assertRefused(mixed, /segment 1 of the log belongs to another member or another cluster/);
  await checkAll(dataDir, count);
});

test("a flipped byte in a table never gives a key another value", async (context) => {
  const parent = await temporaryDirectory(context);
  const dataDir = join(parent, "whole");
  await withStorage(dataDir, async (storage) => {
    const store = new Store(storage.state, { cacheBytes: 0 });
    for (let index = 1; index <= count; index += 1) {
      const command = setCommand(`key ${String(index)}`, `key ${String(index)}`);
      await storage.append(batch({ hardState: hardState(1), entries: [entry(index, 1, command)] }));
      store.apply({ index, term: 1 }, decodeCommand(command), { isWanted: false });
      await storage.save(store.takeChanges());
      store.persisted();
    }
  });
  // A second start moves what is in LevelDB's log into a table.
  assert.deepEqual(await openEach([dataDir]), ["whole"]);
  const table = await readFile(await only(filesOf(dataDir, ".ldb")));
  const damaged: string[] = [];
  for (let position = 0; position < table.length; position += Math.ceil(table.length / 150)) {
    const directory = join(parent, String(position));
    await cp(dataDir, directory, { recursive: true });
    const bytes = Buffer.from(table);
    bytes[position] = (bytes[position] ?? 0) ^ 0x01;
    await writeFile(await only(filesOf(directory, ".ldb")), bytes);
    damaged.push(directory);
  }
  const outcomes = await openEach(damaged);
  const found = outcomes.filter((outcome) => outcome === "refused" || outcome === "ended by LevelDB");
  assert.ok(found.length > 20, String(found.length));
  assert.ok(!outcomes.includes("wrong"));
});

/** Opens directories in a process of their own, and in another after LevelDB has ended one. */
async function openEach(directories: readonly string[]): Promise<readonly string[]> {
  const outcomes: string[] = [];
  while (outcomes.length < directories.length) {
    const rest = directories.slice(outcomes.length);
    const child = spawn(process.execPath, [opener, String(count), ...rest], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let errors = "";
    child.stderr.on("data", (chunk) => (errors += String(chunk)));
    const closed = once(child, "close");
    for await (const line of createInterface(child.stdout)) outcomes.push(line);
    const [code, signal]: unknown[] = await closed;
    if (code === 0) continue;
    assert.equal(signal, "SIGABRT", errors);
    assert.match(errors, /leveldb.*Assertion/);
    outcomes.push("ended by LevelDB");
  }
  return outcomes;
}

test("a start that was cut short before anything was promised is done again", async (context) => {
  const parent = await temporaryDirectory(context);
  const stages: readonly ((dataDir: string) => Promise<void>)[] = [
    async (dataDir) => rm(join(dataDir, "0000000001"), { recursive: true }),
    async (dataDir) => {
      await rm(databaseIn(dataDir), { recursive: true });
      await rm(join(logIn(dataDir), "0000000001.log"));
    },
    async (dataDir) => rm(databaseIn(dataDir), { recursive: true }),
    async (dataDir) => truncate(await only(filesOf(dataDir, ".log")), 0),
    async (dataDir) => truncate(await only(filesOf(dataDir, ".log")), 20),
    () => Promise.resolve(),
  ];
  for (const [position, undo] of stages.entries()) {
    const dataDir = join(parent, String(position));
    await (await open(dataDir)).storage.close();
    await rm(join(dataDir, "generation"));
    await undo(dataDir);
    const { storage, created } = await open(dataDir);
    assert.equal(created, true);
    await storage.close();
  }
});
