/** Directories that are whole, and not for us. */
import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { nodeId } from "@dkv/raft";
import { StartupError } from "../../src/platform/startup-error.ts";
import { seal } from "../../src/storage/checksum.ts";
import { metaKeys } from "../../src/storage/state/keyspace.ts";
import { Database } from "../../src/storage/state/leveldb.ts";
import { openStorage } from "../../src/storage/open-storage.ts";
import {
  configuration,
  databaseIn,
  identity,
  initial,
  open,
  startOf,
  temporaryDirectory,
} from "./fixtures.ts";

const refusal =
  (...patterns: readonly RegExp[]) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof StartupError, String(error));
    assert.equal(error.kind, "environment");
    for (const pattern of patterns) assert.match(error.message, pattern);
    return true;
  };

test("another member's directory is refused, by name", async (context) => {
  const dataDir = await temporaryDirectory(context);
  await (await open(dataDir)).storage.close();
  const other = { ...identity, memberId: nodeId(0xffff_ffff_ffff_ffffn), name: "zwei ä" };
  await assert.rejects(
    openStorage({ ...startOf(dataDir), identity: other }),
    refusal(
      /belongs to member "one" \(00000000000000a1\)/,
      /this is member "zwei ä" \(ffffffffffffffff\)/,
      /directory of its own/,
    ),
  );
  await (await open(dataDir)).storage.close();
});

test("a directory stays with the cluster it was created for, and with the id", async (context) => {
  const dataDir = await temporaryDirectory(context);
  await (await open(dataDir)).storage.close();
  const { storage, created } = await openStorage({
    ...startOf(dataDir),
    identity: { ...identity, clusterId: 0xc2n, memberId: nodeId(0xb2n) },
  });
  const { incarnation: _, ...owner } = storage.identity;
  assert.deepEqual([owner, created], [identity, false]);
  await storage.close();
});

test("a directory is told from all others of the same member, as long as it lasts", async (context) => {
  const parent = await temporaryDirectory(context);
  const incarnationIn = async (dataDir: string): Promise<bigint> => {
    const { storage } = await open(join(parent, dataDir));
    await storage.close();
    return storage.identity.incarnation;
  };
  const [first, second] = [await incarnationIn("a"), await incarnationIn("b")];
  assert.notEqual(first, 0n);
  assert.notEqual(first, second);
  assert.equal(await incarnationIn("a"), first);
});

test("an empty directory is refused where none may be created, and may be created later", async (context) => {
  const dataDir = await temporaryDirectory(context);
  await assert.rejects(
    openStorage({ ...startOf(dataDir), mayCreate: false }),
    refusal(/no member's data is in/),
  );
  const { storage, created } = await open(dataDir);
  assert.equal(created, true);
  await storage.close();
  await (await openStorage({ ...startOf(dataDir), mayCreate: false })).storage.close();
});

test("a configuration given at a later start does not replace the first one", async (context) => {
  const dataDir = await temporaryDirectory(context);
  await (await open(dataDir)).storage.close();
  const { storage } = await openStorage({ ...startOf(dataDir), configuration: configuration(5) });
  assert.deepEqual(storage.configurations, [initial]);
  await storage.close();
});

/** A directory whose records have another format, whatever the file says that is read before. */
async function directoryOf(context: TestContext, format: number): Promise<string> {
  const dataDir = await temporaryDirectory(context);
  await (await open(dataDir)).storage.close();
  const database = await Database.open(databaseIn(dataDir), "existing");
  const body = Buffer.alloc(4);
  body.writeUInt32BE(format);
  const other = database.batch();
  other.put(metaKeys.identity, seal(metaKeys.identity, body));
  await other.commit();
  await database.close();
  return dataDir;
}

test("another format is refused, with the way out", async (context) => {
  await assert.rejects(
    open(await directoryOf(context, 7)),
    refusal(/has format 7/, /reads format 4 only/, /newer version that wrote it/),
  );
  await assert.rejects(
    open(await directoryOf(context, 3)),
    refusal(
      /was written by an earlier version of dkv \(format 3\)/,
      /reads format 4 only: start it with the version that wrote it/,
      /or give this one an empty directory and copy the keys with a client/,
      /backups that the earlier version made cannot be restored/,
    ),
  );
});

test("a directory that cannot be used is refused in one line", async (context) => {
  const parent = await temporaryDirectory(context);
  const file = join(parent, "file");
  await writeFile(file, "not a directory");
  await assert.rejects(open(file), refusal(/cannot use the data directory .*file: it is no directory$/));
  if (process.getuid?.() === 0) return;
  await chmod(parent, 0o500);
  await assert.rejects(
    open(join(parent, "inside")),
    refusal(/cannot use the data directory.*permission denied/),
  );
  await chmod(parent, 0o700);
});
