/**
 * Looks for what LevelDB does not notice: records that are missing, and records that changed.
 *
 * Every marker, every log entry and the few single records are read and compared with each other. The
 * keys of the state machine are too many to read at a start; their records have checksums of their own,
 * which are looked at whenever one is read, and a lost batch of them shows as a missing marker. What is
 * not found: a key of the state machine, or a version of one, that vanishes because a byte flips within
 * the keys of a table. LevelDB could check its tables as it reads them, but its binding does not let us ask.
 */
import { noEntry, type EntryId, type LogIndex, type Term } from "@dkv/raft";
import { readPosition } from "@dkv/store";
import { DamageError } from "./damage.ts";
import { unsealEntry } from "./entry-codec.ts";
import { metaKeys, numberIn, ranges } from "./keyspace.ts";
import type { Database } from "./leveldb.ts";
import { unsealMarker, unsealMembers, type Marker } from "./records.ts";
import type { MemberRecord } from "./storage.ts";

export interface Verified {
  readonly members: readonly MemberRecord[];
  /** The newest one. */
  readonly marker: Marker;
}

/**
 * Reads the whole log once; memory does not grow with it. Throws {@link DamageError}.
 *
 * @param durableBatch a batch that is known to have been synced; the database must have come so far.
 */
export async function verify(database: Database, durableBatch: number): Promise<Verified> {
  const marker = await verifyMarkers(database, durableBatch);
  const members = unsealMembers(need(database.get(metaKeys.members), "the record of members"));
  const { last, appliedTerm } = await verifyLog(database, marker.appliedIndex);
  const position = readPosition(database);

  same("the index of the last log entry", last.index, marker.lastIndex);
  atMost("the term of the last log entry", last.term, marker.hardState.term);
  atMost("the commit index", marker.hardState.commit, last.index);
  atMost("the applied index", marker.appliedIndex, last.index);
  same("the applied index of the state machine", position.appliedIndex, marker.appliedIndex);
  same("the term of the entry applied last", position.appliedTerm, appliedTerm);
  return { members, marker };
}

/** Markers run without a gap from the oldest kept to the newest, and that is not before `durableBatch`. */
async function verifyMarkers(database: Database, durableBatch: number): Promise<Marker> {
  let oldest: number | undefined;
  let newest: Marker | undefined;
  for await (const [key, value] of database.scan(ranges.markers)) {
    const marker = unsealMarker(numberIn(key), value);
    if (newest !== undefined && marker.batch !== newest.batch + 1)
      throw new DamageError(missingBatches(newest, marker));
    oldest ??= marker.batch;
    newest = marker;
  }
  if (newest === undefined || oldest === undefined) {
    throw new DamageError(`all batches are missing, up to number ${String(durableBatch)} at least`);
  }
  if (oldest !== newest.oldestKept) {
    const first = Math.min(oldest, newest.oldestKept);
    throw new DamageError(
      `batches ${String(first)} to ${String(Math.max(oldest, newest.oldestKept) - 1)} are missing`,
    );
  }
  if (newest.batch < durableBatch) {
    throw new DamageError(
      `batches ${String(newest.batch + 1)} to ${String(durableBatch)} were synced and are missing, ` +
        `and with them everything after log entry ${String(newest.lastIndex)}`,
    );
  }
  return newest;
}

function missingBatches(before: Marker, after: Marker): string {
  const batches = `${String(before.batch + 1)} to ${String(after.batch - 1)}`;
  const entries = `${String(before.lastIndex)} and ${String(after.lastIndex)}`;
  return `batches ${batches} are missing from the middle of the database, between log entries ${entries}`;
}

/** Entries run without a gap from 1, and their terms never decrease. */
async function verifyLog(
  database: Database,
  applied: LogIndex,
): Promise<{ last: EntryId; appliedTerm: Term }> {
  let last = noEntry;
  let appliedTerm = noEntry.term;
  for await (const [key, value] of database.scan(ranges.entries)) {
    const entry = unsealEntry(numberIn(key), value);
    if (entry.index !== last.index + 1) {
      throw new DamageError(
        `log entries ${String(last.index + 1)} to ${String(entry.index - 1)} are missing`,
      );
    }
    atMost(`the term of log entry ${String(last.index)}`, last.term, entry.term);
    last = { index: entry.index, term: entry.term };
    if (entry.index === applied) appliedTerm = entry.term;
  }
  return { last, appliedTerm };
}

function need(value: Buffer | undefined, what: string): Buffer {
  if (value === undefined) throw new DamageError(`${what} is missing`);
  return value;
}

function same(what: string, found: number, recorded: number): void {
  if (found !== recorded)
    throw new DamageError(`${what} is ${String(found)} and should be ${String(recorded)}`);
}

function atMost(what: string, found: number, limit: number): void {
  if (found > limit)
    throw new DamageError(`${what} is ${String(found)} and should not be above ${String(limit)}`);
}
