/** The first start, and a snapshot that takes the place of log and state: as a whole, or not at all. */
import assert from "node:assert/strict";
import fs, { cpSync, mkdirSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { Batch } from "../../src/storage/state/leveldb.ts";
import { batch, hardState, initial, open, temporaryDirectory, withStorage } from "./fixtures.ts";
import {
  checkNew,
  checkOld,
  following,
  generationsIn,
  installed,
  promised,
  source,
  transfer,
  writeTarget,
} from "./installing.ts";

/** Calls `before` ahead of each change that the storage makes to the disk, and names it. */
function watchDisk(context: TestContext, before: (call: string) => void): void {
  let isCopying = false;
  const note = (call: string): void => {
    if (isCopying) return;
    isCopying = true;
    before(call);
    isCopying = false;
  };
  for (const name of [
    "writeSync",
    "fdatasyncSync",
    "fsyncSync",
    "renameSync",
    "mkdirSync",
    "rmSync",
  ] as const) {
    const real: (...args: readonly unknown[]) => unknown = fs[name] as never;
    context.mock.method(fs, name, (...args: readonly unknown[]) => {
      note(name);
      return real(...args);
    });
  }
  const commit = Batch.prototype.commit;
  context.mock.method(Batch.prototype, "commit", async function noted(this: Batch) {
    note("commit");
    await commit.call(this);
    note("committed");
  });
  syncBuiltinESMExports();
}

function unwatchDisk(context: TestContext): void {
  context.mock.restoreAll();
  syncBuiltinESMExports();
}

test("a crash at any step leaves the old or the new, and what was promised", async (context) => {
  const from = await source(context);
  const parent = await temporaryDirectory(context);
  const dataDir = join(parent, "data");
  const calls: string[] = [];
  const copy = (call: string): void => {
    cpSync(dataDir, join(parent, String(calls.length)), { recursive: true });
    calls.push(call);
  };
  await withStorage(dataDir, async (storage) => {
    await writeTarget(storage);
    await transfer(from, storage);
    watchDisk(context, copy);
    await storage.append(batch({ hardState: promised, entries: following, snapshot: installed }));
    copy("done");
    unwatchDisk(context);
  });
  const outcomes: string[] = [];
  for (const position of calls.keys()) {
    const crashed = join(parent, String(position));
    await withStorage(crashed, async (storage) => {
      const outcome = storage.log.firstIndex === 1 ? "old" : "new";
      outcomes.push(outcome);
      if (outcome === "new") {
        checkNew(storage);
        assert.deepEqual(storage.hardState, promised);
        return;
      }
      checkOld(storage);
      assert.deepEqual(storage.hardState, hardState(2, 4, 7n));
      await transfer(from, storage);
      await storage.append(batch({ hardState: promised, entries: following, snapshot: installed }));
      checkNew(storage);
    });
    assert.deepEqual(generationsIn(crashed), ["0000000002"]);
  }
  assert.ok(calls.length > 15, calls.join(" "));
  assert.equal(outcomes.join(" "), outcomes.toSorted((a, b) => b.localeCompare(a)).join(" "));
  assert.ok(outcomes.includes("old") && outcomes.includes("new"));
  // Everything is durable before the switch, and the switch before anybody hears of it.
  const lastCommit = calls.lastIndexOf("committed");
  assert.deepEqual(calls.slice(lastCommit), [
    "committed",
    "fsyncSync",
    "fsyncSync",
    "fsyncSync",
    "writeSync",
    "fsyncSync",
    "renameSync",
    "fsyncSync",
    "done",
  ]);
  assert.deepEqual(calls.slice(calls.indexOf("commit") - 2, calls.indexOf("commit")), [
    "writeSync",
    "fdatasyncSync",
  ]);
});

test("a crash at any step of the first start leaves one that can be done again", async (context) => {
  const parent = await temporaryDirectory(context);
  const dataDir = join(parent, "data");
  mkdirSync(dataDir);
  const calls: string[] = [];
  watchDisk(context, (call) => {
    cpSync(dataDir, join(parent, String(calls.length)), { recursive: true });
    calls.push(call);
  });
  const { storage } = await open(dataDir);
  unwatchDisk(context);
  await storage.close();
  const created: boolean[] = [];
  for (const position of calls.keys()) {
    const again = await open(join(parent, String(position)));
    created.push(again.created);
    assert.deepEqual([again.storage.log.lastIndex, again.storage.configurations], [0, [initial]]);
    await again.storage.close();
  }
  assert.ok(calls.length > 10 && created.includes(true) && created.includes(false));
});
