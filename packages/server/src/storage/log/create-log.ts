/** The beginning of a log: one segment without a record. */
import { closeSync, mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { formatVersion } from "../storage.ts";
import type { LogOptions } from "./log-end.ts";
import { chainStart } from "./record.ts";
import { segmentsIn } from "./recover-log.ts";
import {
  activateSpare,
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
  return others.length > 0 || !isZero(readSegment(directory, first).content.subarray(segmentHeaderBytes));
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
