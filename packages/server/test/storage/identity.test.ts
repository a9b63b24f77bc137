/** Directories that are whole, and not for us. */
import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
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

test("a directory that was made before there were incarnations has none", async (context) => {
  const dataDir = await temporaryDirectory(context);
  await (await open(dataDir)).storage.close();
  const database = await Database.open(databaseIn(dataDir), "existing");
  const body = Buffer.alloc(20);
  body.writeUInt32BE(2, 0);
  body.writeBigUInt64BE(identity.clusterId, 4);
  body.writeBigUInt64BE(identity.memberId, 12);
  const older = database.batch();
  older.put(metaKeys.identity, seal(metaKeys.identity, Buffer.concat([body, Buffer.from(identity.name)])));
  await older.commit();
  await database.close();
  const { storage } = await open(dataDir);
  assert.deepEqual(storage.identity, { ...identity, incarnation: 0n });
  await storage.close();
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

test("a newer format is refused, with the way out", async (context) => {
  const dataDir = await temporaryDirectory(context);
  await (await open(dataDir)).storage.close();
  const database = await Database.open(databaseIn(dataDir), "existing");
  const stored = database.get(metaKeys.identity) ?? assert.fail("there is an identity");
  const body = Buffer.from(stored.subarray(0, 28));
  body.writeUInt32BE(7, 0);
  const newer = database.batch();
  newer.put(metaKeys.identity, seal(metaKeys.identity, body));
  await newer.commit();
  await database.close();
  await assert.rejects(
    open(dataDir),
    refusal(/has format 7/, /knows formats up to 3/, /newer version that wrote it/),
  );
});

test("a directory that cannot be used is refused in one line", async (context) => {
  const parent = await temporaryDirectory(context);
  const file = join(parent, "file");
  await writeFile(file, "not a directory");
  await assert.rejects(open(file), refusal(/cannot use the data directory/));
  if (process.getuid?.() === 0) return;
  await chmod(parent, 0o500);
  await assert.rejects(
    open(join(parent, "inside")),
    refusal(/cannot use the data directory.*permission denied/),
  );
  await chmod(parent, 0o700);
});
