import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { storageContract } from "./contract.ts";
import { change, changes, logOf, open, stateKey, temporaryDirectory, text, withStorage } from "./fixtures.ts";

storageContract("storage on disk", async (context) => {
  const dataDir = await temporaryDirectory(context);
  return { open: async () => (await open(dataDir)).storage };
});

const writer = fileURLToPath(new URL("writer.ts", import.meta.url));

test("the first start creates the directory, later ones find it", async (context) => {
  const dataDir = `${await temporaryDirectory(context)}/deep/inside`;
  for (const created of [true, false, false]) {
    const opened = await open(dataDir);
    assert.equal(opened.created, created);
    await opened.storage.close();
  }
});

test("only one batch is written at a time", async (context) => {
  const dataDir = await temporaryDirectory(context);
  await withStorage(dataDir, async (storage) => {
    const first = storage.save(changes([change("a", "1")]));
    await assert.rejects(storage.save(changes([change("a", "2")])), /one batch is written at a time/);
    await first;
    await storage.save(changes([change("a", "3")]));
  });
});

test("another process is told that the directory is in use; the one that has it goes on", async (context) => {
  const dataDir = await temporaryDirectory(context);
  await withStorage(dataDir, async (storage) => {
    const other = spawn(process.execPath, [writer, dataDir], { stdio: ["ignore", "ignore", "pipe"] });
    const lines = createInterface(other.stderr);
    const [line]: unknown[] = await once(lines, "line");
    assert.match(String(line), /another dkv uses the data directory/);
    await storage.save(changes([change("a", "1")]));
  });
  await withStorage(dataDir, (storage) => {
    assert.equal(text(storage.state.get(stateKey("a"))), "1");
  });
});

test("every batch acknowledged before a kill is there afterwards", async (context) => {
  const dataDir = await temporaryDirectory(context);
  let acknowledged = 0;
  for (const killAfter of [1, 40, 300]) {
    acknowledged = await writeUntilKilled(dataDir, acknowledged + killAfter);
    await withStorage(dataDir, (storage) => {
      const log = logOf(storage);
      assert.ok(
        log.length >= acknowledged,
        `${String(log.length)} entries, ${String(acknowledged)} acknowledged`,
      );
      const saved = Number(text(storage.state.get(stateKey("last"))) ?? 0);
      assert.ok(saved <= log.length && saved >= acknowledged - (acknowledged % 10) - 10);
      acknowledged = log.length;
    });
  }
});

/** Kills the writer once it has acknowledged so many entries; gives the last one it acknowledged. */
async function writeUntilKilled(dataDir: string, killAfter: number): Promise<number> {
  const child = spawn(process.execPath, [writer, dataDir], { stdio: ["ignore", "pipe", "inherit"] });
  const exit = once(child, "exit");
  let acknowledged = 0;
  for await (const line of createInterface(child.stdout)) {
    acknowledged = Number(line);
    if (acknowledged >= killAfter) child.kill("SIGKILL");
  }
  assert.deepEqual(await exit, [null, "SIGKILL"]);
  return acknowledged;
}

test("after a failed write nothing is written, and nothing acknowledged is lost", async (context) => {
  const dataDir = await temporaryDirectory(context);
  // The shell's limit on file sizes, in blocks of 512 or 1024 bytes, makes a write fail as a full disk does.
  const child = spawn("sh", ["-c", 'ulimit -f 200; exec "$0" "$@"', process.execPath, writer, dataDir], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const errors: string[] = [];
  createInterface(child.stderr).on("line", (line) => errors.push(line));
  const closed = once(child, "close");
  let acknowledged = 0;
  for await (const line of createInterface(child.stdout)) acknowledged = Number(line);
  assert.deepEqual(await closed, [1, null]);
  assert.match(errors.join("\n"), /File too large/);
  assert.match(errors.join("\n"), /then: stopped after a failed write/);
  await withStorage(dataDir, (storage) => {
    assert.ok(acknowledged > 0 && storage.log.lastIndex >= acknowledged);
  });
});

test("closing twice, and while something is written, closes once", async (context) => {
  const dataDir = await temporaryDirectory(context);
  const { storage } = await open(dataDir);
  const written = storage.save(changes([change("a", "1")]));
  const late = assert.rejects(
    written.then(() => storage.save(changes([change("a", "2")]))),
    /the storage is closed/,
  );
  await Promise.all([storage.close(), storage.close(), late]);
  await withStorage(dataDir, ({ state }) => {
    assert.equal(text(state.get(stateKey("a"))), "1");
  });
});
