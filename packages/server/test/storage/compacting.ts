/** Logs of several segments, and one of which a part was dropped. */
import assert from "node:assert/strict";
import { cpSync, readdirSync } from "node:fs";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { logIndex } from "@dkv/raft";
import type { Storage } from "../../src/storage/storage.ts";
import {
  batch,
  change,
  changes,
  entry,
  hardState,
  logIn,
  logOf,
  temporaryDirectory,
  text,
  withStorage,
} from "./fixtures.ts";

/** Appends entries of 1000 bytes, each with a batch of its own: about 60 to a segment. */
export async function appendUpTo(storage: Storage, last: number, ofTerm = 1): Promise<void> {
  for (let index = storage.log.lastIndex + 1; index <= last; index += 1) {
    const made = entry(index, ofTerm, valueFor(index, ofTerm));
    await storage.append(batch({ hardState: hardState(ofTerm, 0, 7n), entries: [made] }));
  }
}

export const valueFor = (index: number, ofTerm: number): string =>
  `${String(index)}@${String(ofTerm)} `.padEnd(1000, "x");

export const apply = (storage: Storage, index: number, ofTerm = 1): Promise<void> =>
  storage.save(changes([change("applied", String(index))], { index, term: ofTerm }));

export const segmentsOf = (dataDir: string): readonly string[] =>
  readdirSync(logIn(dataDir)).filter((name) => name.endsWith(".log"));

export const far = logIndex(1e9);

export function checkEntries(storage: Storage, last: number, ofTerm = 1): void {
  const { log } = storage;
  assert.equal(log.lastIndex, last);
  assert.deepEqual(
    logOf(storage).map(({ index, data }) => [index, text(data)]),
    Array.from({ length: last - log.firstIndex + 1 }, (_, position) => {
      const index = log.firstIndex + position;
      return [index, valueFor(index, ofTerm)];
    }),
  );
}

/** A directory whose log begins after entry `base`, and a copy from before the files went. */
export async function compacted(
  context: TestContext,
): Promise<{ dataDir: string; halfway: string; base: number }> {
  const parent = await temporaryDirectory(context);
  const [dataDir, halfway] = [join(parent, "whole"), join(parent, "halfway")];
  let base = 0;
  await withStorage(dataDir, async (storage) => {
    await appendUpTo(storage, 300);
    await apply(storage, 200);
    cpSync(logIn(dataDir), logIn(halfway), { recursive: true });
    await storage.compact(far);
    base = storage.log.firstIndex - 1;
  });
  // Log files as they were, all else as it became.
  await cp(dataDir, halfway, { recursive: true, force: false });
  return { dataDir, halfway, base };
}
