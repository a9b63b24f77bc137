/** States on real disks, and snapshots of them. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { nodeId, type Configuration } from "@dkv/raft";
import type { SnapshotTrailer } from "@dkv/snapshot";
import { TakenSnapshot, type SnapshotOptions } from "../../src/storage/snapshot/taken-snapshot.ts";
import { stateKeys } from "../../src/storage/state/keyspace.ts";
import { Database } from "../../src/storage/state/leveldb.ts";
import { storeRecords, type Values } from "../storage/store-records.ts";

export async function temporaryDirectory(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "dkv-snapshot-"));
  context.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** An empty database, closed when the test is over. */
export async function newDatabase(context: TestContext): Promise<Database> {
  const database = await Database.open(join(await temporaryDirectory(context), "db"), "create");
  context.after(() => database.close());
  return database;
}

export const configuration: Configuration = {
  voters: [nodeId(0xa1n)],
  outgoing: [],
  learners: [],
  context: new Uint8Array(),
};

export const options: SnapshotOptions = {
  snapshotId: 0x51n,
  clusterId: 0xc1n,
  configurationAt: () => configuration,
  chunkBytes: 100,
};

/** Writes keys and values, and that they came of the entry with that index. */
export async function save(database: Database, index: number, values: Values): Promise<void> {
  const batch = database.batch();
  for (const { key, value } of storeRecords(database, { index, term: 2 }, values)) {
    if (value === undefined) batch.delete(key);
    else batch.put(key, value);
  }
  await batch.commit();
}

/** So many keys, of up to some hundred bytes. */
export const values = (count: number): Values =>
  Object.fromEntries(
    Array.from({ length: count }, (_, number) => [
      `key ${String(number).padStart(4, "0")}`,
      `${String(number)} `.repeat(number % 20),
    ]),
  );

/** All that the state machine has in it. */
export async function contentOf(database: Database): Promise<readonly (readonly [string, string])[]> {
  const records: (readonly [string, string])[] = [];
  for await (const [key, value] of database.records(stateKeys))
    records.push([key.toString("hex"), value.toString("hex")]);
  return records;
}

export interface WholeSnapshot {
  readonly chunks: readonly Buffer[];
  readonly trailer: SnapshotTrailer;
}

export async function wholeOf(snapshot: TakenSnapshot, skip = 0): Promise<WholeSnapshot> {
  const generator = snapshot.chunks(skip);
  const chunks: Buffer[] = [];
  for (;;) {
    const next = await generator.next();
    if (next.done === true) return { chunks, trailer: next.value };
    chunks.push(next.value);
  }
}

export interface SentSnapshot extends WholeSnapshot {
  readonly source: Database;
  readonly header: TakenSnapshot["header"];
}

/** A snapshot of a state with so many keys, taken and read. */
export async function someSnapshot(
  context: TestContext,
  { count = 30, ...changed }: Partial<SnapshotOptions> & { readonly count?: number } = {},
): Promise<SentSnapshot> {
  const source = await newDatabase(context);
  if (count > 0) await save(source, count, values(count));
  const snapshot = TakenSnapshot.take(source, { ...options, ...changed });
  const whole = await wholeOf(snapshot);
  await snapshot.close();
  assert.ok(count === 0 || whole.chunks.length > 3, "there is something to leave out");
  return { ...whole, source, header: snapshot.header };
}
