/**
 * Reads the whole log at a start, and makes sure that it is what was written.
 *
 * Every record continues the checksum of the one before, over all files, so nothing can be missing from the
 * middle. What the end may look like:
 *
 *   … record │ zeroes                          nothing was being written
 *   … record │ a part of a record │ zeroes     a crash in the middle of a write: nobody was promised any of
 *                                              it, and it is dropped
 *
 * A part of a record is told from a damaged one by its sectors: a disk writes each of them whole or not
 * at all, so a torn record has one that is still zero. A record with all its sectors whose
 * checksum is wrong has been changed, and was perhaps promised; so was everything up to the record that
 * a state batch knew to be durable.
 */
import { existsSync, fdatasyncSync, readdirSync } from "node:fs";
import { noEntry, type Entry, type HardState } from "@dkv/raft";
import { DamageError } from "../damage.ts";
import { formatVersion, type Identity } from "../storage.ts";
import { chainStart, decodeRecord, recordBytesAt, recordHeaderBytes, type LogRecord } from "./record.ts";
import { Regions } from "./regions.ts";
import {
  isZero,
  openSegment,
  readSegment,
  segmentHeaderBytes,
  segmentNumber,
  writeAll,
} from "./segment-file.ts";
import type { LogEnd } from "./segmented-log.ts";
import { TermHistory } from "./term-history.ts";

/** The least that a disk writes at once. */
const sectorBytes = 512;

export interface RecoveredLog {
  readonly end: LogEnd;
  readonly regions: Regions;
  /** Number of the newest state batch that the log knows to be durable. */
  readonly savedBatch: number;
  readonly terms: TermHistory;
}

export interface RecoverOptions {
  readonly directory: string;
  readonly identity: Identity;
  /** The record that the newest state batch knew to be durable. */
  readonly durableRecord: number;
}

/** Numbers of the segments, ascending; none if there is no such directory. */
export function segmentsIn(directory: string): readonly number[] {
  if (!existsSync(directory)) return [];
  const numbers = readdirSync(directory)
    .map(segmentNumber)
    .filter((number) => number !== undefined);
  return numbers.sort((a, b) => a - b);
}

/** Throws {@link DamageError}. Drops what a crash has left of a record at the end. */
export function recoverLog(options: RecoverOptions): RecoveredLog {
  const { directory, durableRecord } = options;
  const recovery = new Recovery(options);
  const numbers = segmentsIn(directory);
  for (const [position, number] of numbers.entries()) {
    if (number !== position + 1)
      throw new DamageError(`segment ${String(position + 1)} of the log is missing`);
    recovery.segment(number, number === numbers.length ? "last" : "full");
  }
  if (numbers.length === 0) throw new DamageError("the log is missing");
  return recovery.finish(durableRecord);
}

class Recovery {
  readonly #options: RecoverOptions;
  readonly #regions = new Regions();
  #segment = 0;
  #offset = 0;
  #chain = chainStart;
  #number = 0;
  #savedBatch = 0;
  #hardState: HardState = { term: noEntry.term, votedFor: undefined, commit: noEntry.index };
  readonly #terms = new TermHistory();
  /** Behind the last record, if something lies there that has to be zeroed. */
  #torn: { readonly from: number; readonly to: number } | undefined;

  constructor(options: RecoverOptions) {
    this.#options = options;
  }

  segment(number: number, place: "full" | "last"): void {
    const { directory, identity } = this.#options;
    const { header, content } = readSegment(directory, number);
    const what = `segment ${String(number)} of the log`;
    if (header.format > formatVersion) throw new DamageError(`${what} has format ${String(header.format)}`);
    if (header.identity.clusterId !== identity.clusterId || header.identity.memberId !== identity.memberId)
      throw new DamageError(`${what} belongs to another member or another cluster`);
    if (header.chain !== this.#chain) throw new DamageError(`${what} does not continue the one before`);
    this.#segment = number;
    this.#offset = segmentHeaderBytes;
    this.#records(content);
    this.#judgeRest(content, place);
  }

  finish(durableRecord: number): RecoveredLog {
    if (this.#number < durableRecord) {
      const range = `${String(this.#number + 1)} to ${String(durableRecord)}`;
      throw new DamageError(`records ${range} of the log were synced and are missing`);
    }
    const segment = openSegment(this.#options.directory, this.#segment);
    const torn = this.#torn;
    if (torn !== undefined) writeAll(segment.descriptor, Buffer.alloc(torn.to - torn.from), torn.from);
    // Also the last record, which may have been written and not synced before the process ended.
    fdatasyncSync(segment.descriptor);
    return {
      end: {
        segment,
        offset: this.#offset,
        chain: this.#chain,
        number: this.#number,
        hardState: this.#hardState,
        lastIndex: this.#terms.lastIndex,
      },
      regions: this.#regions,
      savedBatch: this.#savedBatch,
      terms: this.#terms,
    };
  }

  #records(content: Buffer): void {
    for (;;) {
      const decoded = decodeRecord(content, this.#offset, this.#chain);
      if (decoded === undefined) return;
      this.#take(decoded.record, decoded.end);
      this.#offset = decoded.end;
      this.#chain = decoded.chain;
    }
  }

  #take({ number, savedBatch, hardState, entries }: LogRecord, end: number): void {
    const what = `record ${String(number)} of the log`;
    if (number !== this.#number + 1) throw new DamageError(`${what} follows record ${String(this.#number)}`);
    this.#append(entries, what);
    if (hardState.term < Math.max(this.#hardState.term, this.#terms.lastTerm))
      throw new DamageError(`${what} has an older term than one before`);
    if (hardState.commit > this.#terms.lastIndex)
      throw new DamageError(`${what} commits entries beyond the end of the log`);
    const first = entries[0]?.index;
    if (first !== undefined) {
      const where = { segment: this.#segment, offset: this.#offset, end, chain: this.#chain };
      this.#regions.add({ first, last: this.#terms.lastIndex, ...where });
    }
    this.#number = number;
    this.#savedBatch = savedBatch;
    this.#hardState = hardState;
  }

  #append(entries: readonly Entry[], what: string): void {
    for (const { index, term } of entries) {
      if (!this.#terms.append(index, term)) throw new DamageError(`${what} does not continue the log`);
    }
  }

  /** Looks at what lies behind the last record that is whole. */
  #judgeRest(content: Buffer, place: "full" | "last"): void {
    const rest = content.subarray(this.#offset);
    if (isZero(rest)) return;
    const where = `after record ${String(this.#number)}`;
    if (place === "full" || !isTorn(rest, this.#offset)) {
      throw new DamageError(
        `segment ${String(this.#segment)} of the log holds, ${where}, what was not written so`,
      );
    }
    this.#torn = { from: this.#offset, to: content.length };
  }
}

/** Whether a crash in the middle of writing one record can have left this; `offset` is its place in the file. */
function isTorn(rest: Buffer, offset: number): boolean {
  const firstSector = sectorBytes - (offset % sectorBytes);
  if (isZero(rest.subarray(0, recordHeaderBytes))) return isZero(rest.subarray(0, firstSector));
  const bytes = recordBytesAt(rest, 0);
  if (bytes === undefined || !isZero(rest.subarray(bytes))) return false;
  for (let from = firstSector; from < bytes; from += sectorBytes) {
    if (isZero(rest.subarray(from, Math.min(from + sectorBytes, bytes)))) return true;
  }
  return false;
}
