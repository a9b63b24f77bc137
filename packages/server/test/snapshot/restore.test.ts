/** From a member's storage to a backup file, and from there to the members of a new cluster. */
import assert from "node:assert/strict";
import {
  cpSync,
  createReadStream,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { encodeBackup, readBackup } from "@dkv/snapshot";
import { decodeCommand, encodeCommand, onlyKey, permits, Store } from "@dkv/store";
import { decodeMembership } from "../../src/codec/membership-codec.ts";
import { clusterIdOf, memberIdOf } from "../../src/config/identity.ts";
import type { RestoreRequest } from "../../src/config/restore-command.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { StartupError } from "../../src/platform/startup-error.ts";
import { restore } from "../../src/start/restore.ts";
import { openStorage, type OpenedStorage } from "../../src/storage/open-storage.ts";
import { Restoration } from "../../src/storage/restoration.ts";
import { Batch, Database, OpenError } from "../../src/storage/state/leveldb.ts";
import { rules } from "../consensus/auth/fixtures.ts";
import {
  batch,
  bytes,
  configuration,
  entry,
  hardState,
  logOf,
  setCommand,
  text,
  withStorage,
} from "../storage/fixtures.ts";
import { temporaryDirectory } from "./fixtures.ts";

const keys = 40;

const sets = Array.from({ length: keys }, (_, position) =>
  setCommand(`key ${String(position % 30)}`, `value ${String(position)}`),
);

/** Makes a member that has set some keys, or done these commands, and a backup of it. */
async function backupIn(directory: string, commands: readonly Uint8Array[] = sets): Promise<string> {
  const file = join(directory, "backup.dkv");
  await withStorage(join(directory, "old"), async (storage) => {
    const store = new Store(storage.state, { cacheBytes: 1000 });
    const entries = commands.map((command, position) => entry(position + 1, 7, command));
    await storage.append(batch({ hardState: hardState(7, 0), entries }));
    for (const { index, term, data } of entries)
      store.apply({ index, term }, decodeCommand(data), { isWanted: false });
    await storage.save(store.takeChanges());
    store.persisted();
    const snapshot = storage.takeSnapshot();
    const pieces: Buffer[] = [];
    for await (const piece of encodeBackup(snapshot)) pieces.push(piece);
    await snapshot.close();
    writeFileSync(file, Buffer.concat(pieces));
  });
  return file;
}

const initialCluster = [
  { name: "new-0", address: "localhost:4000" },
  { name: "new-1", address: "localhost:4001" },
  { name: "new-2", address: "localhost:4002" },
];

const requestOf = (file: string, dataDir: string, name = "new-0"): RestoreRequest => ({
  file,
  name,
  dataDir,
  initialCluster,
  initialClusterToken: "again",
});

const restored = (request: RestoreRequest) => restore(request, { clock: systemClock, random: systemRandom });

const { commit } = Batch.prototype;

/** As a start does it. */
async function started(context: TestContext, { name, dataDir }: RestoreRequest): Promise<OpenedStorage> {
  const identity = { clusterId: 1n, memberId: memberIdOf(name), name };
  const opened = await openStorage({
    dataDir,
    identity,
    configuration: configuration(1),
    mayCreate: false,
    clock: systemClock,
    random: systemRandom,
  });
  context.after(() => opened.storage.close());
  return opened;
}

test("who may do what is of force in the new cluster as it was in the old one", async (context) => {
  const directory = await temporaryDirectory(context);
  const commands = rules.map((operation, sequence) =>
    encodeCommand({ proposer: 1n, sequence }, operation, { user: "root", authRevision: 1n }),
  );
  const request = requestOf(await backupIn(directory, commands), join(directory, "new"));
  await restored(request);
  const { storage } = await started(context, request);
  const { auth } = new Store(storage.state, { cacheBytes: 1000 });
  assert.equal(auth.isEnabled, true);
  assert.deepEqual(auth.users.get("one")?.roles, ["some"]);
  assert.equal(permits(auth, "one", { kind: "write", interval: onlyKey("own") }), true);
  assert.equal(permits(auth, "one", { kind: "write", interval: onlyKey("other") }), false);
});

test("every member of the new cluster has all keys with their revisions, and goes on from there", async (context) => {
  const directory = await temporaryDirectory(context);
  const file = await backupIn(directory);
  const clusters = new Set<bigint>();
  for (const { name } of initialCluster) {
    const request = requestOf(file, join(directory, "below", name), name);
    const { header } = await restored(request);
    const { storage, created } = await started(context, request);
    assert.equal(created, false);
    assert.deepEqual(header.last, { index: keys, term: 7 });
    assert.deepEqual(storage.hardState, { term: 7, votedFor: undefined, commit: keys });
    assert.deepEqual([storage.log.firstIndex, storage.log.lastIndex], [keys + 1, keys]);
    assert.equal(storage.log.termAt(header.last.index), 7);

    const [base, ...later] = storage.configurations;
    assert.deepEqual(later, []);
    assert.equal(base?.index, keys);
    assert.deepEqual(
      base.configuration.voters,
      initialCluster.map((member) => memberIdOf(member.name)),
    );
    assert.deepEqual(
      decodeMembership(base.configuration.context).rows.map((row) => [row.name, row.peerAddress]),
      initialCluster.map((member) => [member.name, member.address]),
    );

    const store = new Store(storage.state, { cacheBytes: 1000 });
    assert.deepEqual([store.appliedIndex, store.revision], [keys, keys + 1]);
    const found = store.get(bytes("key 5"));
    assert.equal(text(found?.value), "value 35");
    assert.deepEqual([found?.createRevision, found?.modRevision, found?.version], [7, 37, 2]);

    const next = entry(keys + 1, 8, setCommand("new", "value"));
    await storage.append(batch({ hardState: hardState(8, keys), entries: [next] }));
    store.apply(next, decodeCommand(next.data), { isWanted: false });
    await storage.save(store.takeChanges());
    await storage.close();
    const again = await started(context, request);
    assert.equal(logOf(again.storage).length, 1);
    clusters.add(again.storage.identity.clusterId);
    assert.deepEqual(again.storage.identity.memberId, memberIdOf(name));
    await again.storage.close();
  }
  assert.equal(clusters.size, 1, "they are members of one cluster");
  assert.ok(!clusters.has(0xc1n) && !clusters.has(clusterIdOf("again", initialCluster)));
});

test("another token, other members or another backup make another cluster", async (context) => {
  const directory = await temporaryDirectory(context);
  await mkdir(join(directory, "two"));
  const [file, other] = [await backupIn(directory), await backupIn(join(directory, "two"))];
  const first = requestOf(file, join(directory, "0"));
  const clusters = new Set<bigint>();
  for (const [position, changed] of [
    {},
    { initialClusterToken: "other" },
    { initialCluster: initialCluster.slice(0, 2) },
    { file: other },
  ].entries()) {
    const request = { ...first, ...changed, dataDir: join(directory, String(position)) };
    await restored(request);
    const { storage } = await started(context, request);
    clusters.add(storage.identity.clusterId);
    await storage.close();
  }
  assert.equal(clusters.size, 4);
});

test("a directory with anything in it is left alone", async (context) => {
  const directory = await temporaryDirectory(context);
  const file = await backupIn(directory);
  const before = readdirSync(join(directory, "old"));
  await assert.rejects(restored(requestOf(file, join(directory, "old"))), (error) => {
    assert.ok(error instanceof StartupError);
    assert.equal(error.kind, "environment");
    assert.match(error.message, /is not empty.*name another one with --data-dir/);
    return true;
  });
  assert.deepEqual(readdirSync(join(directory, "old")), before);
});

test("a backup that is not whole restores nothing, and the whole one can be restored after it", async (context) => {
  const directory = await temporaryDirectory(context);
  const file = await backupIn(directory);
  const whole = readFileSync(file);
  const dataDir = join(directory, "new");
  for (const length of [0, 5, 200, 1000, whole.length - 1]) {
    writeFileSync(file, whole.subarray(0, length));
    await assert.rejects(restored(requestOf(file, dataDir)), (error) => {
      assert.ok(error instanceof StartupError, String(error));
      assert.match(error.message, /backup\.dkv is no backup to rely on/);
      return true;
    });
    assert.ok(!existsSync(dataDir) || readdirSync(dataDir).length === 0);
  }
  writeFileSync(file, whole);
  await restored(requestOf(file, dataDir));
  assert.equal((await started(context, requestOf(file, dataDir))).storage.configurations.length, 1);
});

test("a file that cannot be read is named", async (context) => {
  const directory = await temporaryDirectory(context);
  await assert.rejects(restored(requestOf(join(directory, "none.dkv"), join(directory, "new"))), (error) => {
    assert.ok(error instanceof StartupError);
    assert.match(error.message, /cannot restore .*none\.dkv into .*ENOENT/);
    return true;
  });
});

test("a member that is started with a part of a backup says what to do", async (context) => {
  const directory = await temporaryDirectory(context);
  const request = requestOf(await backupIn(directory), join(directory, "new"));
  const clock = systemClock;
  const restoration = Promise.withResolvers<Restoration>();
  for await (const part of readBackup(createReadStream(request.file))) {
    if (part.kind === "header")
      restoration.resolve(
        await Restoration.begin({ dataDir: request.dataDir, clock, random: systemRandom }, part.header),
      );
    else if (part.kind === "chunk") await (await restoration.promise).write(part.chunk);
  }
  const begun = await restoration.promise;
  await assert.rejects(started(context, request), /has not finished.*unless it is still running/);
  // What a crash leaves.
  const left = join(directory, "left");
  cpSync(request.dataDir, left, { recursive: true });
  await begun.abandon();
  await assert.rejects(started(context, { ...request, dataDir: left }), (error) => {
    assert.ok(error instanceof StartupError);
    assert.match(
      error.message,
      /a restore into .*left has not finished.*delete the directory and run dkv restore/,
    );
    return true;
  });
});

test("a restore that fails for its disk says so in a line, and leaves the directory empty", async (context) => {
  const directory = await temporaryDirectory(context);
  const request = requestOf(await backupIn(directory), join(directory, "new"));
  const noSpace = (): Promise<never> =>
    Promise.reject(Object.assign(new Error("IO error: No space left on device"), { code: "LEVEL_IO_ERROR" }));
  for (const fail of [
    () => context.mock.method(Batch.prototype, "commit", noSpace),
    () =>
      context.mock.method(Database, "open", () =>
        Promise.reject(new OpenError("failed", "IO error: No space left on device")),
      ),
  ]) {
    fail();
    await assert.rejects(restored(request), (error) => {
      assert.ok(error instanceof StartupError, String(error));
      assert.match(error.message, /^cannot .*new.*: .*No space left on device$/);
      return true;
    });
    context.mock.restoreAll();
    assert.deepEqual(readdirSync(request.dataDir), []);
  }
  await restored(request);
});

test("a restore that was cut anywhere is told from damage, at a start and at the next restore", async (context) => {
  const directory = await temporaryDirectory(context);
  const file = await backupIn(directory);
  const stages = {
    // The last thing that is written; a crash before it leaves everything else.
    "all but the file generation": (dataDir: string) => rmSync(join(dataDir, "generation")),
    "no more than the directory": (dataDir: string) => {
      rmSync(join(dataDir, "generation"));
      rmSync(join(dataDir, "0000000001", "db"), { recursive: true });
      rmSync(join(dataDir, "0000000001", "log"), { recursive: true });
    },
  };
  for (const [name, cut] of Object.entries(stages)) {
    const request = requestOf(file, join(directory, name));
    const note = join(request.dataDir, "restoring");
    const kept = join(directory, "kept");
    // It is there until the last step: what removes it comes behind what is cut away here.
    context.mock.method(Batch.prototype, "commit", function (this: Batch) {
      cpSync(note, kept);
      return commit.call(this);
    });
    await restored(request);
    context.mock.restoreAll();
    assert.equal(existsSync(note), false);
    cpSync(kept, note);
    cut(request.dataDir);
    const expected = /a restore into .* has not finished.*run dkv restore again$/;
    await assert.rejects(started(context, request), expected);
    await assert.rejects(restored(request), expected);
  }
});

test("a restore that was cut after its last step is done, and leaves no excuse for damage", async (context) => {
  const directory = await temporaryDirectory(context);
  const request = requestOf(await backupIn(directory), join(directory, "new"));
  await restored(request);
  writeFileSync(join(request.dataDir, "restoring"), "");
  await assert.rejects(restored(request), /is not empty/);
  const { storage } = await started(context, request);
  await storage.close();
  rmSync(join(request.dataDir, "generation"));
  await assert.rejects(started(context, request), /there is data of a member/);
});
