/** A member that is behind, another one's state, and what becomes of the one by the other. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import type { TestContext } from "node:test";
import { logIndex, term, type HardState } from "@dkv/raft";
import { readPosition, Store } from "@dkv/store";
import type { IncomingSnapshot, InstalledSnapshot, Storage } from "../../src/storage/storage.ts";
import {
  batch,
  bytes,
  configuration,
  configurationEntry,
  entry,
  hardState,
  initial,
  logOf,
  open,
  temporaryDirectory,
  text,
} from "./fixtures.ts";
import { storeRecords } from "./store-records.ts";

/** The value of a key, as the store has it. */
export const writtenValue = ({ state }: Pick<Storage, "state">, name: string): string | undefined =>
  text(new Store(state, { cacheBytes: 0 }).get(bytes(name))?.value);

/** Another member's storage: its state has come as far as entry 20, of term 3. */
export async function source(context: TestContext): Promise<Storage> {
  const { storage } = await open(await temporaryDirectory(context));
  context.after(() => storage.close());
  const entries = Array.from({ length: 30 }, (_, position) =>
    position === 9 ? configurationEntry(10, 3, configuration(5)) : entry(position + 1, 3),
  );
  await storage.append(batch({ hardState: hardState(3, 30), entries }));
  const values = Array.from({ length: 300 }, (_, number) => [`key ${String(number)}`, "x".repeat(3000)]);
  const all = { who: "source", ...Object.fromEntries(values) };
  await storage.save(storeRecords(storage.state, { index: 20, term: 3 }, all));
  return storage;
}

/** What is installed of it. */
export const installed: InstalledSnapshot = {
  last: { index: logIndex(20), term: term(3) },
  configuration: configuration(5),
};

/** Gives `to` everything that the source has, from what it has already. */
export async function transfer(from: Storage, to: Storage): Promise<IncomingSnapshot> {
  const snapshot = from.takeSnapshot();
  const incoming = await receive(snapshot, to);
  await snapshot.close();
  return incoming;
}

export async function receive(
  snapshot: ReturnType<Storage["takeSnapshot"]>,
  to: Storage,
  most = Number.POSITIVE_INFINITY,
): Promise<IncomingSnapshot> {
  const incoming = await to.receiveSnapshot(snapshot.header);
  const chunks = snapshot.chunks(incoming.received);
  for (;;) {
    const next = await chunks.next();
    if (next.done === true) {
      await incoming.finish(next.value);
      return incoming;
    }
    if (incoming.received >= most) return incoming;
    await incoming.write(next.value);
  }
}

/** A member that is behind: 5 entries of term 1, of which 4 are applied. */
export async function writeTarget(storage: Storage): Promise<void> {
  const entries = [1, 2, 3, 4, 5].map((index) => entry(index, 1));
  await storage.append(batch({ hardState: hardState(2, 4, 7n), entries }));
  await storage.save(storeRecords(storage.state, { index: 4, term: 1 }, { who: "target" }));
}

export const promised: HardState = hardState(4, 22, 9n);
export const following = [entry(21, 3), entry(22, 4)];

export const generationsIn = (dataDir: string): readonly string[] =>
  readdirSync(dataDir).filter((name) => name !== "generation");

export function checkOld(storage: Storage): void {
  assert.deepEqual([storage.log.firstIndex, storage.log.lastIndex], [1, 5]);
  assert.deepEqual(
    logOf(storage),
    [1, 2, 3, 4, 5].map((index) => entry(index, 1)),
  );
  assert.deepEqual(storage.configurations, [initial]);
  assert.equal(writtenValue(storage, "who"), "target");
  assert.equal(writtenValue(storage, "key 299"), undefined);
  assert.equal(readPosition(storage.state).appliedIndex, 4);
}

export function checkNew(storage: Storage): void {
  const { log } = storage;
  assert.deepEqual([log.firstIndex, log.lastIndex], [21, 22]);
  assert.deepEqual(
    [19, 20, 21, 22, 23].map((index) => log.termAt(logIndex(index))),
    [undefined, 3, 3, 4, undefined],
  );
  assert.deepEqual(logOf(storage), following);
  assert.deepEqual(storage.configurations, [{ index: 20, configuration: configuration(5) }]);
  assert.equal(writtenValue(storage, "who"), "source");
  assert.equal(writtenValue(storage, "key 299"), "x".repeat(3000));
  assert.equal(readPosition(storage.state).appliedIndex, 20);
}
