/** Which generation of a directory is the current one, and that one process at a time says so. */
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { crc32 } from "node:zlib";
import { writeGenerationFile } from "../../src/storage/generation/generation-file.ts";
import { holdsMember, openStorage } from "../../src/storage/open-storage.ts";
import { Database } from "../../src/storage/state/leveldb.ts";
import {
  batch,
  change,
  changes,
  databaseIn,
  entry,
  hardState,
  logIn,
  logOf,
  open,
  startOf,
  temporaryDirectory,
  withStorage,
} from "./fixtures.ts";

const damaged = /is damaged: .*must not be started with this directory again/;

/** A member's directory with one entry in its log, and a state if asked. */
async function written(context: TestContext, what: "log" | "log and state" = "log"): Promise<string> {
  const dataDir = await temporaryDirectory(context);
  await withStorage(dataDir, async (storage) => {
    await storage.append(batch({ hardState: hardState(1), entries: [entry(1, 1)] }));
    if (what === "log and state") await storage.save(changes([change("a", "1")], { index: 1, term: 1 }));
  });
  return dataDir;
}

test("whether a directory is a member's can be asked without opening it", async (context) => {
  const dataDir = await temporaryDirectory(context);
  assert.equal(holdsMember(dataDir), false);
  await assert.rejects(openStorage({ ...startOf(dataDir), mayCreate: false }), /no member's data/);
  assert.equal(holdsMember(dataDir), false);
  await (await open(dataDir)).storage.close();
  assert.equal(holdsMember(dataDir), true);
});

test("without the file that names the current generation a promise is not forgotten", async (context) => {
  const missing = /the file generation is missing, which says where the current data is/;
  const log = await written(context);
  rmSync(join(log, "generation"));
  await assert.rejects(open(log), missing);
  await assert.rejects(open(log), damaged);

  const state = await written(context, "log and state");
  rmSync(join(state, "generation"));
  rmSync(logIn(state), { recursive: true });
  await assert.rejects(open(state), missing);

  const later = await written(context);
  rmSync(join(later, "generation"));
  cpSync(databaseIn(later), databaseIn(later, 2), { recursive: true });
  rmSync(join(later, "0000000001"), { recursive: true });
  await assert.rejects(open(later), missing);
});

test("a file that names the current generation is believed only if it is whole", async (context) => {
  const dataDir = await written(context);
  const path = join(dataDir, "generation");
  const whole = readFileSync(path);
  for (let bit = 0; bit < whole.length * 8; bit += 1) {
    const changed = Buffer.from(whole);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    writeFileSync(path, changed);
    await assert.rejects(open(dataDir), /the file generation is not what was written/);
  }
  truncateSync(path, 20);
  await assert.rejects(open(dataDir), damaged);
  writeFileSync(path, whole);
  await withStorage(dataDir, (storage) => {
    assert.equal(storage.log.lastIndex, 1);
  });
});

test("a generation that is named and not there is damage", async (context) => {
  const dataDir = await written(context);
  writeGenerationFile(dataDir, 2);
  await assert.rejects(open(dataDir), /generation 2 is missing, which is the current one/);
  assert.ok(existsSync(logIn(dataDir)), "and what is there stays");
  mkdirSync(databaseIn(dataDir, 2), { recursive: true });
  await assert.rejects(open(dataDir), /the database is missing that belongs to the log/);
});

test("formats of other versions are refused with the way out", async (context) => {
  const texts = {
    9: /has format 9.*start it with the newer version that wrote it/,
    3: /was written by an earlier version of dkv \(format 3\).*start it with the version that wrote it/,
  };
  for (const [format, text] of Object.entries(texts)) {
    const other = await written(context);
    const path = join(other, "generation");
    const content = readFileSync(path);
    content.writeUInt32BE(Number(format), 8);
    content.writeUInt32BE(crc32(content.subarray(0, 20)), 20);
    writeFileSync(path, content);
    await assert.rejects(open(other), text);
  }

  const oldest = await temporaryDirectory(context);
  await (await Database.open(join(oldest, "db"), "create")).close();
  await assert.rejects(
    open(oldest),
    /was written by an earlier version.*start it with the version that wrote it/,
  );
  assert.equal(holdsMember(oldest), false);
});

/** Two generations, both whole; the second has an entry more. */
async function twoGenerations(context: TestContext): Promise<string> {
  const dataDir = await written(context);
  cpSync(dataDir, `${dataDir}-copy`, { recursive: true });
  context.after(() => {
    rmSync(`${dataDir}-copy`, { recursive: true });
  });
  await withStorage(`${dataDir}-copy`, async (storage) => {
    await storage.append(batch({ entries: [entry(2, 1)] }));
  });
  cpSync(join(`${dataDir}-copy`, "0000000001"), join(dataDir, "0000000002"), { recursive: true });
  return dataDir;
}

test("a generation that is left while it is being opened is not taken for the current one", async (context) => {
  for (const outcome of ["opens", "is gone"]) {
    const dataDir = await twoGenerations(context);
    const real = Database.open;
    const opened: string[] = [];
    context.mock.method(Database, "open", async (directory: string, mode: "create" | "existing") => {
      opened.push(directory);
      if (opened.length > 1) return real(directory, mode);
      // Another process makes the second one current, and then lets go of the first.
      writeGenerationFile(dataDir, 2);
      if (outcome === "is gone") rmSync(join(dataDir, "0000000001"), { recursive: true });
      return real(directory, mode);
    });
    await withStorage(dataDir, (storage) => {
      assert.equal(logOf(storage).length, 2);
    });
    assert.deepEqual(opened, [databaseIn(dataDir, 1), databaseIn(dataDir, 2)]);
    context.mock.restoreAll();
    await withStorage(dataDir, (storage) => {
      assert.equal(storage.log.lastIndex, 2);
    });
  }
});

test("a first start that another process completes meanwhile is not begun again", async (context) => {
  const dataDir = await temporaryDirectory(context);
  const real = Database.open;
  let others = 1;
  context.mock.method(Database, "open", async (directory: string, mode: "create" | "existing") => {
    if (others > 0) {
      others -= 1;
      await withStorage(dataDir, async (storage) => {
        await storage.append(batch({ hardState: hardState(1), entries: [entry(1, 1)] }));
      });
    }
    return real(directory, mode);
  });
  const { storage, created } = await open(dataDir);
  context.mock.restoreAll();
  assert.deepEqual([created, storage.log.lastIndex], [false, 1]);
  await storage.close();
});
