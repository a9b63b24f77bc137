/** The beginning of a log: one segment without a record. */
import { closeSync, mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { noEntry } from "@dkv/raft";
import { formatVersion } from "../storage.ts";
import type { LogBase } from "./log-base.ts";
import { noContents, type LogContents } from "./log-contents.ts";
import type { LogEnd, LogOptions } from "./log-end.ts";
import { chainStart } from "./record.ts";
import { segmentsIn } from "./recover-log.ts";
import {
  activateSpare,
  openSegment,
  prepareSpare,
  readSegment,
  segmentHeaderBytes,
  syncDirectory,
} from "./segment-file.ts";
import { isZero } from "./sectors.ts";

/** Whether anything was ever written into the log, which then may hold a promise. */
export function hasRecords(directory: string): boolean {
  const [first, ...others] = segmentsIn(directory);
  if (first === undefined) return false;
  if (first > 1 || others.length > 0) return true;
  return !isZero(readSegment(directory, first).content.subarray(segmentHeaderBytes));
}

/** Makes a log without records, in place of one that a start that was cut short has left. */
export async function createLog({ directory, identity, segmentBytes }: LogOptions): Promise<void> {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { mode: 0o700 });
  await prepareSpare(directory, segmentBytes);
  const header = { format: formatVersion, bytes: segmentBytes, identity, number: 1, chain: chainStart };
  closeSync(activateSpare(directory, header).descriptor);
  syncDirectory(dirname(directory));
}

/** What {@link createLog} has just made, as a log that goes on from the base. */
export function openCreated(
  { directory }: LogOptions,
  base: LogBase,
): { readonly end: LogEnd; readonly contents: LogContents } {
  const { chain, record, last } = base;
  const segment = openSegment(directory, base.segment);
  const contents = noContents(base);
  contents.segments.add({ number: segment.number, bytes: segment.bytes, record, chain, after: last.index });
  const hardState = { term: noEntry.term, votedFor: undefined, commit: noEntry.index };
  return { end: { segment, offset: segmentHeaderBytes, chain, number: record - 1, hardState }, contents };
}
