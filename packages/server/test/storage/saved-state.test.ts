import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { logIndex } from "@dkv/raft";
import { systemClock } from "../../src/platform/clock.ts";
import { Database } from "../../src/storage/state/leveldb.ts";
import { SavedState } from "../../src/storage/state/saved-state.ts";
import { change, changes, stateKey, temporaryDirectory, text } from "./fixtures.ts";

const marker = { batch: 1, oldestKept: 1, appliedIndex: logIndex(1), durableRecord: 1 };
const log = { lastIndex: logIndex(9), lastRecord: 9 };

test("others have their turn while many records are saved, and see all of them or none", async (context) => {
  const database = await Database.open(join(await temporaryDirectory(context), "db"), "create");
  const seen: (string | undefined)[] = [];
  const soon = (callback: () => void): void => {
    seen.push(text(database.get(stateKey("key 0"))));
    systemClock.soon(callback);
  };
  const saved = new SavedState(database, marker, { soon });
  const names = Array.from({ length: 1200 }, (_, at) => `key ${String(at)}`);
  await saved.save(changes(names.map((name) => change(name, "value"))), log);
  assert.deepEqual(seen, [undefined, undefined]);
  for (const name of names) assert.equal(text(database.get(stateKey(name))), "value");
  await database.close();
});
