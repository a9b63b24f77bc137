/** Keys of an interval as the disk has them, some at a time, in their order. */
import { assert } from "../assert.ts";
import type { ByteString } from "../bytes.ts";
import { changeKey, decodeChange } from "../keyspace/change-record.ts";
import { currentKey, decodeCurrent, keyOfCurrent } from "../keyspace/current-record.ts";
import { decodeIndex, type IndexEntry, indexRange } from "../keyspace/index-record.ts";
import { prefixes } from "../keyspace/prefixes.ts";
import { DamagedRecordError } from "../keyspace/record.ts";
import { madeIn } from "../overlay/layer.ts";
import type { KeyRange, StateScanner } from "../storage.ts";
import type { Place, Version } from "../version.ts";
import type { Found } from "./found.ts";
import type { Interval } from "./interval.ts";
import type { Moment } from "./moment.ts";

/** What was made there is not on the disk any more: its history was given up. Anything else is damage. */
export class RemovedError extends Error {
  override readonly name = "RemovedError";
}

/** What an error is once it is certain that nothing was given up: what is current, or still to be read, stays. */
export const asDamage = (error: unknown): unknown =>
  error instanceof RemovedError ? new DamagedRecordError(error.message, { cause: error }) : error;

/** Reading so few one by one takes less time than handing them to another thread. */
const fewKeys = 16;

/** Values of the past that are read at a time: any of them may be large, and whoever reads may stop. */
const sliceKeys = 64;

function currentRange({ from, before }: Interval): KeyRange {
  const end = before === undefined ? Uint8Array.of(prefixes.current + 1) : currentKey(before);
  return { from: currentKey(from), before: end };
}

/** Those that exist, without their values. */
export async function* currentOnDisk(
  scanner: StateScanner,
  interval: Interval,
): AsyncGenerator<readonly Found[]> {
  for await (const records of scanner.scan(currentRange(interval)))
    yield records.map(([key, record]) => ({
      key: keyOfCurrent(key),
      facts: decodeCurrent(key, record),
      value: undefined,
    }));
}

/**
 * Those that existed at a revision, with their values, but of which the layers in front know nothing: what
 * those replace may be removed any time, as soon as they are saved. Throws {@link RemovedError}.
 */
export async function* pastOnDisk(
  { scanner, layers, revision }: Moment,
  interval: Interval,
): AsyncGenerator<readonly Found[]> {
  const isLatest = ({ key }: IndexEntry): boolean => madeIn(layers, key, revision) === undefined;
  let last: IndexEntry | undefined;
  for await (const records of scanner.scan(indexRange(interval))) {
    const existed: IndexEntry[] = [];
    for (const [key, record] of records) {
      const entry = decodeIndex(key, record);
      if (last !== undefined && entry.key !== last.key && isLatest(last)) existed.push(last);
      if (last?.key !== entry.key) last = undefined;
      if (entry.revision <= revision) last = entry;
    }
    for (let start = 0; start < existed.length; start += sliceKeys)
      yield await versionsAt(scanner, existed.slice(start, start + sliceKeys));
  }
  if (last !== undefined && isLatest(last)) yield await versionsAt(scanner, [last]);
}

async function versionsAt(scanner: StateScanner, entries: readonly IndexEntry[]): Promise<readonly Found[]> {
  const existing = entries.filter(({ isDeleted }) => !isDeleted);
  const versions = await readVersions(
    scanner,
    existing.map(({ revision, sub }) => ({ revision, sub })),
  );
  return existing.map(({ key }, at) => {
    const version = versions[at];
    assert(version !== undefined, "each version was read");
    return { key, facts: version, value: version.value };
  });
}

/**
 * What sets have made at some places of the history, all of it saved once. Throws {@link RemovedError}.
 */
export async function readVersions(
  scanner: StateScanner,
  places: readonly Place[],
): Promise<readonly Version[]> {
  const keys = places.map(changeKey);
  const records = await recordsOf(scanner, keys);
  return records.map((record, at) => versionIn(keys[at], record));
}

/** What the disk has under each key; few of them are there at once. */
export const recordsOf = (
  scanner: StateScanner,
  keys: readonly Uint8Array[],
): readonly (Uint8Array | undefined)[] | Promise<readonly (Uint8Array | undefined)[]> =>
  keys.length <= fewKeys ? keys.map((key) => scanner.get(key)) : scanner.getMany(keys);

/** As {@link readVersions}, of one. */
export function readVersion(reader: Pick<StateScanner, "get">, place: Place): Version {
  const key = changeKey(place);
  return versionIn(key, reader.get(key));
}

function versionIn(key: Uint8Array | undefined, record: Uint8Array | undefined): Version {
  if (key === undefined || record === undefined)
    throw new RemovedError("a version that a key has, or had, is not stored");
  const { made } = decodeChange(key, record);
  assert(!made.isDeleted, "the index tells sets from deletes");
  return made;
}

/** The value of a key that was found on the disk. */
export function readValue(reader: Pick<StateScanner, "get">, { facts, value }: Found): ByteString {
  return value ?? readVersion(reader, { revision: facts.modRevision, sub: facts.sub }).value;
}
