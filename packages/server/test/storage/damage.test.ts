/**
 * Damage that LevelDB does not report. Whatever is done to the files, a member either refuses to start or
 * has everything that it ever acknowledged.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, readdir, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { StartupError } from "../../src/platform/startup-error.ts";
import { markerKey } from "../../src/storage/keyspace.ts";
import { Database } from "../../src/storage/leveldb.ts";
import { openStorage } from "../../src/storage/open-storage.ts";
import { Witness } from "../../src/storage/witness.ts";
import {
  batch,
  change,
  entry,
  hardState,
  identity,
  logOf,
  members,
  open,
  stateKey,
  temporaryDirectory,
  text,
  withStorage,
} from "./fixtures.ts";

const opener = fileURLToPath(new URL("open-each.ts", import.meta.url));

const count = 60;

async function writeSome(dataDir: string, from = 1): Promise<void> {
  await withStorage(dataDir, async (storage) => {
    for (let index = from; index < from + count; index += 1) {
      await storage.write(
        batch({
          hardState: hardState(index, index - 1, BigInt(index)),
          entries: [entry(index, index, `${String(index)} `.repeat(20 * (index % 90)))],
          changes: [change(`key ${String(index)}`, String(index))],
        }),
      );
    }
  });
}

async function checkAll(dataDir: string, last: number): Promise<void> {
  await withStorage(dataDir, (storage) => {
    assert.equal(logOf(storage).length, last);
    for (let index = 1; index <= last; index += 1) {
      assert.equal(text(storage.state.get(stateKey(`key ${String(index)}`))), String(index));
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
        /must not be started with this directory again.*join anew with an empty directory/,
      );
      assert.ok(error.message.includes(dataDir));
      assert.ok(!error.message.includes("\n"));
      return true;
    });
  }
}

async function filesOf(dataDir: string, suffix: string): Promise<readonly string[]> {
  const names = await readdir(join(dataDir, "db"));
  return names.filter((name) => name.endsWith(suffix)).map((name) => join(dataDir, "db", name));
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

test("a flipped byte anywhere in LevelDB's log is refused", async (context) => {
  const { dataDir, copy } = await prepared(context);
  const log = await readFile(await only(filesOf(dataDir, ".log")));
  const step = Math.ceil(log.length / 120);
  // The first bytes are the header of the first record; from there on any place will do.
  const positions = [0, 4, 5, 6, 7, log.length - 1];
  for (let position = 8; position < log.length; position += step) positions.push(position);
  for (const position of positions) {
    const damaged = await copy();
    const bytes = Buffer.from(log);
    bytes[position] = (bytes[position] ?? 0) ^ 0x10;
    await writeFile(await only(filesOf(damaged, ".log")), bytes);
    await assertRefused(damaged, /missing/);
    await rm(damaged, { recursive: true });
  }
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
    /batches \d+ to \d+ are missing from the middle of the database, between log entries \d+ and \d+/,
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
    /batches 62 to 121 were synced and are missing, and with them everything after log entry 60/,
  );
});

test("a log file cut off below what was acknowledged is refused, wherever it is cut", async (context) => {
  const { dataDir, copy } = await prepared(context);
  const { length } = await readFile(await only(filesOf(dataDir, ".log")));
  for (const cut of [1, 2, 100, Math.floor(length / 2), length - 1, length]) {
    const damaged = await copy();
    await truncate(await only(filesOf(damaged, ".log")), length - cut);
    await assertRefused(damaged, /missing/);
  }
});

test("a last batch that was torn before it was acknowledged is no damage", async (context) => {
  const { dataDir, copy } = await prepared(context);
  const before = await copy();
  const oldLog = await readFile(await only(filesOf(dataDir, ".log")));
  // What a crash in the middle of the next batch leaves: a part of it in the log, and the witness as it was.
  for (const kept of [1, 6, 7, 20, 60]) {
    const torn = await copy();
    const file = await only(filesOf(torn, ".log"));
    await writeFile(file, Buffer.concat([oldLog, oldLog.subarray(0, kept)]));
    await cp(join(before, "witness"), join(torn, "witness"));
    await checkAll(torn, count);
  }
});

test("a batch that is synced while the witness is not yet told is no damage", async (context) => {
  const { dataDir } = await prepared(context);
  const witness = join(dataDir, "witness");
  const before = await readFile(witness);
  await writeSome(dataDir, count + 1);
  await writeFile(witness, before);
  await checkAll(dataDir, 2 * count);
});

test("a torn write to the witness is no damage, and costs it one batch at most", async (context) => {
  const { dataDir, copy } = await prepared(context);
  for (const slot of [0, 512]) {
    const torn = await copy();
    const witness = await readFile(join(torn, "witness"));
    witness.fill(0xee, slot + 10, slot + 30);
    await writeFile(join(torn, "witness"), witness);
    await checkAll(torn, count);
  }
  await writeSome(dataDir, count + 1);
  const witness = await readFile(join(dataDir, "witness"));
  witness.fill(0xee, 0, 36);
  await writeFile(join(dataDir, "witness"), witness);
  await rm(await only(filesOf(dataDir, ".log")));
  await assertRefused(dataDir, /were synced and are missing/);
});

test("a witness that is missing, empty or overwritten is refused", async (context) => {
  const { copy } = await prepared(context);
  const missing = await copy();
  await rm(join(missing, "witness"));
  await assertRefused(missing, /the file named witness is missing/);
  for (const content of [Buffer.alloc(0), Buffer.alloc(1024), Buffer.from("x".repeat(1024))]) {
    const overwritten = await copy();
    await writeFile(join(overwritten, "witness"), content);
    await assertRefused(overwritten, /witness.* is not what was written/);
  }
});

test("a database that is missing, or misses a file, is refused", async (context) => {
  const { dataDir, copy } = await prepared(context);
  const noDatabase = await copy();
  await rm(join(noDatabase, "db"), { recursive: true });
  await assertRefused(noDatabase, /the database is missing, which held 61 batches at least/);

  const noCurrent = await copy();
  await rm(join(noCurrent, "db", "CURRENT"));
  await assertRefused(noCurrent, /the file CURRENT is missing/);

  await checkAll(dataDir, count);
  await rm(await only(filesOf(dataDir, ".ldb")));
  await assertRefused(dataDir, /LevelDB found a damaged file: .*missing files/);
});

test("batches that are missing before the first one left are refused", async (context) => {
  const { dataDir } = await prepared(context);
  // As when the older of two log files is gone and the newer one is there.
  const database = await Database.open(join(dataDir, "db"), "existing");
  const older = database.batch();
  for (let number = 1; number <= 20; number += 1) older.delete(markerKey(number));
  await older.commit();
  await database.close();
  await assertRefused(dataDir, /batches 2 to 20 are missing/);
});

test("the witness of another directory is refused", async (context) => {
  const { dataDir, copy } = await prepared(context);
  const other = await temporaryDirectory(context);
  const { storage } = await openStorage({
    dataDir: other,
    identity: { ...identity, clusterId: 0xc2n },
    members,
  });
  await storage.close();
  const mixed = await copy();
  await cp(join(other, "witness"), join(mixed, "witness"));
  await assertRefused(mixed, /the database belongs to member .*, its witness to member/);
  await checkAll(dataDir, count);
});

test("a flipped byte in a table is refused or harmless to log, term and vote", async (context) => {
  const { dataDir, copy } = await prepared(context);
  await checkAll(dataDir, count);
  const [expected] = await openEach([dataDir]);
  const table = await readFile(await only(filesOf(dataDir, ".ldb")));
  const damaged: string[] = [];
  for (let position = 0; position < table.length; position += Math.ceil(table.length / 150)) {
    const directory = await copy();
    const bytes = Buffer.from(table);
    bytes[position] = (bytes[position] ?? 0) ^ 0x01;
    await writeFile(await only(filesOf(directory, ".ldb")), bytes);
    damaged.push(directory);
  }
  const outcomes = await openEach(damaged);
  const refused = outcomes.filter((outcome) => outcome !== expected);
  assert.ok(refused.length > 20);
  for (const outcome of refused) assert.match(outcome, /^(refused|ended by LevelDB)$/);
});

/** Opens directories in a process of their own, and in another after LevelDB has ended one. */
async function openEach(directories: readonly string[]): Promise<readonly string[]> {
  const outcomes: string[] = [];
  while (outcomes.length < directories.length) {
    const rest = directories.slice(outcomes.length);
    const child = spawn(process.execPath, [opener, ...rest], { stdio: ["ignore", "pipe", "pipe"] });
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
    async (dataDir) => {
      await rm(join(dataDir, "db"), { recursive: true });
      await rename(join(dataDir, "witness"), join(dataDir, "witness.new"));
    },
    async (dataDir) => {
      await rm(join(dataDir, "witness"));
      await truncate(await only(filesOf(dataDir, ".log")), 0);
    },
    async (dataDir) => {
      await truncate(await only(filesOf(dataDir, ".log")), 20);
      Witness.create(join(dataDir, "witness"), identity).close();
    },
  ];
  for (const [position, undo] of stages.entries()) {
    const dataDir = join(parent, String(position));
    await (await open(dataDir)).storage.close();
    await undo(dataDir);
    const { storage, created } = await open(dataDir);
    assert.equal(created, true);
    await storage.close();
  }
});
