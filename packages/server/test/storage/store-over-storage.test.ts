/** The state machine on a real disk: apply, take, write, report, reopen. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { DeleteCommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import { logIndex } from "@dkv/raft";
import { decodeCommand, encodeCommand, Store } from "@dkv/store";
import type { Storage } from "../../src/storage/storage.ts";
import {
  batch,
  bytes,
  entry,
  hardState,
  setCommand,
  temporaryDirectory,
  text,
  withStorage,
} from "./fixtures.ts";

const del = (key: string): Uint8Array =>
  encodeCommand(
    { proposer: 1n, sequence: 1 },
    { case: "delete", value: create(DeleteCommandSchema, { key: bytes(key) }) },
  );

/** Applies what is durable in the log and not yet in the store, as a member does when it starts. */
function replay(storage: Storage): Store {
  const store = new Store(storage.state, { cacheBytes: 1000 });
  for (let index = store.appliedIndex + 1; index <= storage.log.lastIndex; index += 1) {
    const [found] = storage.log.entries(logIndex(index), logIndex(index + 1), 1000);
    assert.ok(found !== undefined);
    store.apply(found, decodeCommand(found.data), { isWanted: false });
  }
  return store;
}

test("a store continues where its disk stands, and applies the rest of the log again", async (context) => {
  const dataDir = await temporaryDirectory(context);
  const expected = new Map<string, string>();
  let index = 0;
  for (let start = 1; start <= 4; start += 1) {
    await withStorage(dataDir, async (storage) => {
      const store = replay(storage);
      assert.equal(store.appliedIndex, index);
      for (const [key, value] of expected) assert.equal(text(store.get(bytes(key))?.value), value);
      assert.equal(store.get(bytes("gone")), undefined);

      for (let turn = 0; turn < 20; turn += 1) {
        const key = `key ${String(turn % 7)}`;
        const value = `${String(start)}.${String(turn)}`;
        const commands = [setCommand("gone", "soon"), setCommand(key, value), del("gone")];
        const entries = commands.map((data, position) => entry(index + position + 1, start, data));
        await storage.append(batch({ hardState: hardState(start, index), entries }));
        for (const each of entries) store.apply(each, decodeCommand(each.data), { isWanted: false });
        if (turn % 3 === 0) {
          const saved = storage.save(store.takeChanges());
          assert.equal(store.get(bytes("gone")), undefined, "what is being written is still seen");
          await saved;
          store.persisted();
        }
        index += entries.length;
        expected.set(key, value);
      }
      // The last turn's changes are left behind: the next start applies those entries again.
      assert.equal(store.hasChanges(), true);
      assert.equal(store.revision, 1 + index);
    });
  }
});
