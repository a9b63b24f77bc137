import assert from "node:assert/strict";
import { test } from "node:test";
import { change, changes, open, stateKey, temporaryDirectory, withStorage } from "./fixtures.ts";

const mebibyte = 2 ** 20;

test("the size of the state is known, and becomes less once its space is reclaimed", async (context) => {
  const dataDir = await temporaryDirectory(context);
  await withStorage(dataDir, async (storage) => {
    assert.ok((await storage.stateBytes()) < mebibyte);
    const names = Array.from({ length: 32 }, (_, at) => `key-${String(at)}`);
    // More than LevelDB keeps in memory.
    for (const name of names) await storage.save(changes([change(name, "v".repeat(mebibyte))]));
    const full = await storage.stateBytes();
    assert.ok(full > 8 * mebibyte, `${String(full)} bytes`);
    await storage.save(changes(names.map((name) => ({ key: stateKey(name), value: undefined }))));
    await storage.reclaimState();
    const left = await storage.stateBytes();
    assert.ok(left < mebibyte, `${String(left)} bytes are left of ${String(full)}`);
  });
});

test("what is in LevelDB's log alone counts as well, also after a restart", async (context) => {
  const dataDir = await temporaryDirectory(context);
  const value = "v".repeat(mebibyte);
  await withStorage(dataDir, async (storage) => {
    const empty = await storage.stateBytes();
    for (const name of ["a", "b", "c"]) {
      const before = await storage.stateBytes();
      await storage.save(changes([change(name, value)]));
      const added = (await storage.stateBytes()) - before;
      assert.ok(added >= mebibyte && added < 1.1 * mebibyte, `${String(added)} bytes for a mebibyte`);
    }
    await storage.reclaimState();
    const settled = (await storage.stateBytes()) - empty;
    assert.ok(settled > 2.9 * mebibyte && settled < 3.1 * mebibyte, `${String(settled)} bytes in tables`);
  });
  await withStorage(dataDir, async (storage) => {
    const again = await storage.stateBytes();
    assert.ok(again > 2.9 * mebibyte && again < 3.2 * mebibyte, `${String(again)} bytes after a restart`);
  });
});

test("of a storage that is closed nothing is measured or reclaimed", async (context) => {
  const { storage } = await open(await temporaryDirectory(context));
  await storage.close();
  await assert.rejects(storage.stateBytes(), /closed/);
  await assert.rejects(storage.reclaimState(), /closed/);
});
