/**
 * Looks for what LevelDB does not notice: records that are missing, and records that changed.
 *
 * Every marker and the few single records are read. The keys of the state machine are too many to read at
 * a start; their records have checksums of their own, which are looked at whenever one is read, and
 * a lost batch of them shows as a missing marker. What is not found: a key of the state machine, or a
 * version of one, that vanishes because a byte flips within the keys of a table. LevelDB could check its
 * tables as it reads them, but its binding does not let us ask.
 */
import { readPosition } from "@dkv/store";
import { DamageError } from "../damage.ts";
import type { LogBase } from "../log/log-base.ts";
import { batchIn, markers, metaKeys } from "./keyspace.ts";
import type { Database } from "./leveldb.ts";
import { unsealBase, unsealMarker, type Marker } from "./records.ts";

export interface VerifiedState {
  readonly base: LogBase;
  /** The newest one. */
  readonly marker: Marker;
}

/** Throws {@link DamageError}. */
export async function verifyState(database: Database): Promise<VerifiedState> {
  const marker = await verifyMarkers(database);
  const base = unsealBase(need(database.get(metaKeys.base), "the record of where the log begins"));
  const { appliedIndex } = readPosition(database);
  if (appliedIndex !== marker.appliedIndex) {
    throw new DamageError(
      `the state machine has applied log entry ${String(appliedIndex)}, its marker says ${String(marker.appliedIndex)}`,
    );
  }
  return { base, marker };
}

/** Markers run without a gap from the oldest kept to the newest. */
async function verifyMarkers(database: Database): Promise<Marker> {
  let oldest: number | undefined;
  let newest: Marker | undefined;
  for await (const [key, value] of database.records(markers)) {
    const marker = unsealMarker(batchIn(key), value);
    if (newest !== undefined && marker.batch !== newest.batch + 1)
      throw new DamageError(missingBatches(newest, marker));
    oldest ??= marker.batch;
    newest = marker;
  }
  if (newest === undefined || oldest === undefined)
    throw new DamageError("all markers of batches are missing");
  if (oldest !== newest.oldestKept) {
    const first = Math.min(oldest, newest.oldestKept);
    throw new DamageError(
      `batches ${String(first)} to ${String(Math.max(oldest, newest.oldestKept) - 1)} are missing`,
    );
  }
  return newest;
}

function missingBatches(before: Marker, after: Marker): string {
  const batches = `${String(before.batch + 1)} to ${String(after.batch - 1)}`;
  const entries = `${String(before.appliedIndex)} and ${String(after.appliedIndex)}`;
  return `batches ${batches} are missing from the middle of the database, between the states after log entries ${entries}`;
}

function need(value: Buffer | undefined, what: string): Buffer {
  if (value === undefined) throw new DamageError(`${what} is missing`);
  return value;
}
