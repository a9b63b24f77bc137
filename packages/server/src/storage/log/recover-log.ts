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
 * A part of a record is told from a damaged one by its sectors: some of them are still the zeroes that the
 * file was prepared with, more than the record's header says. A record that has all its sectors and a
 * wrong checksum was changed, and was perhaps promised; so was everything up to the record that a state batch
 * knew to be durable. What cannot be told from a torn record is one whose first sector turned to zeroes.
 */
import { existsSync, fdatasyncSync, readdirSync, unlinkSync } from "node:fs";
import { noEntry, type Entry, type HardState } from "@dkv/raft";
import type { Clock } from "../../platform/clock.ts";
import { DamageError } from "../damage.ts";
import type { Identity } from "../storage.ts";
import type { LogBase } from "./log-base.ts";
import { noContents, type LogContents } from "./log-contents.ts";
import type { LogEnd } from "./log-end.ts";
import { withOwnConfigurations } from "./own-data.ts";
import { decodeHeader, decodeRecord, recordHeaderBytes, type LogRecord } from "./record.ts";
import { bytesToSectorEnd, countZeroSectors, isZero } from "./sectors.ts";
import {
  openSegment,
  readSegment,
  segmentHeaderBytes,
  segmentNumber,
  segmentPath,
  syncDirectory,
  writeAll,
} from "./segment-file.ts";

export interface RecoverOptions {
  readonly directory: string;
  readonly identity: Identity;
  /** Where the log begins. Segments before it are of no more use. */
  readonly base: LogBase;
  /** The record that the newest state batch knew to be durable. */
  readonly durableRecord: number;
  readonly clock: Pick<Clock, "soon">;
}

/** Numbers of the segments, ascending; none if there is no such directory. */
export function segmentsIn(directory: string): readonly number[] {
  if (!existsSync(directory)) return [];
  const numbers = readdirSync(directory)
    .map(segmentNumber)
    .filter((number) => number !== undefined);
  return numbers.sort((a, b) => a - b);
}

/** Throws {@link DamageError}, or StartupError for a newer format. Changes nothing: {@link RecoveredLog.settle} does. */
export async function recoverLog(options: RecoverOptions): Promise<RecoveredLog> {
  const { directory, durableRecord, base, clock } = options;
  const recovered = new RecoveredLog(options);
  const numbers = segmentsIn(directory).filter((number) => number >= base.segment);
  const last = numbers.at(-1);
  for (const [position, number] of numbers.entries()) {
    const expected = base.segment + position;
    if (number !== expected) throw new DamageError(`segment ${String(expected)} of the log is missing`);
    recovered.read(number, number === last ? "last" : "full");
    // A long log takes a while: signals are heard in between.
    await new Promise<void>((resolve) => {
      clock.soon(resolve);
    });
  }
  if (numbers.length === 0) throw new DamageError("the log is missing");
  recovered.mustHave(durableRecord);
  return recovered;
}

/** What is known of the log after its segments were read, one after the other. */
export class RecoveredLog {
  /** What the log goes on with, beside its {@link LogEnd}. */
  readonly contents: LogContents;
  readonly #options: RecoverOptions;
  #segment = 0;
  #offset = 0;
  #chain: number;
  #number: number;
  #savedBatch = 0;
  #hardState: HardState = { term: noEntry.term, votedFor: undefined, commit: noEntry.index };
  /** From the beginning of the last segment's last record to where everything is zero. */
  #tail: { readonly from: number; readonly bytes: Buffer } | undefined;

  constructor(options: RecoverOptions) {
    this.#options = options;
    this.contents = noContents(options.base);
    this.#chain = options.base.chain;
    this.#number = options.base.record - 1;
  }

  /** Number of the newest state batch that the log knows to be durable. */
  get savedBatch(): number {
    return this.#savedBatch;
  }

  get hardState(): HardState {
    return this.#hardState;
  }

  read(number: number, place: "full" | "last"): void {
    const { directory, identity } = this.#options;
    const { header, content } = readSegment(directory, number);
    const what = `segment ${String(number)} of the log`;
    if (header.identity.clusterId !== identity.clusterId || header.identity.memberId !== identity.memberId)
      throw new DamageError(`${what} belongs to another member or another cluster`);
    if (header.chain !== this.#chain) throw new DamageError(`${what} does not continue the one before`);
    this.contents.segments.add({
      number,
      bytes: header.bytes,
      record: this.#number + 1,
      chain: this.#chain,
      after: this.contents.terms.lastIndex,
    });
    this.#segment = number;
    this.#offset = segmentHeaderBytes;
    const lastRecord = this.#readRecords(content);
    this.#judgeRest(content, place);
    this.#tail = { from: lastRecord, bytes: Buffer.from(content.subarray(lastRecord, this.#offset)) };
  }

  mustHave(durableRecord: number): void {
    if (this.#number >= durableRecord) return;
    const range = `${String(this.#number + 1)} to ${String(durableRecord)}`;
    throw new DamageError(`records ${range} of the log were synced and are missing`);
  }

  /**
   * Makes durable what was found, and the rest of the last segment zeroes, before anybody goes by it. The
   * process that wrote the last record may have ended before its sync; if that sync failed, the kernel may
   * take its pages for clean, so they are written again. The same goes for the name of the segment. What was
   * to be dropped is, now that the rest is known to be whole.
   */
  settle(): LogEnd {
    const { directory, base } = this.#options;
    const segment = openSegment(directory, this.#segment);
    const tail = this.#tail;
    if (tail !== undefined) writeAll(segment.descriptor, tail.bytes, tail.from);
    writeAll(segment.descriptor, Buffer.alloc(segment.bytes - this.#offset), this.#offset);
    fdatasyncSync(segment.descriptor);
    for (const number of segmentsIn(directory))
      if (number < base.segment) unlinkSync(segmentPath(directory, number));
    syncDirectory(directory);
    return {
      segment,
      offset: this.#offset,
      chain: this.#chain,
      number: this.#number,
      hardState: this.#hardState,
    };
  }

  /** Returns where the last record begins; where the records would, if there is none. */
  #readRecords(content: Buffer): number {
    for (let last = this.#offset; ; ) {
      const decoded = decodeRecord(content, this.#offset, this.#chain);
      if (decoded === undefined) return last;
      this.#take(decoded.record, decoded.end);
      last = this.#offset;
      this.#offset = decoded.end;
      this.#chain = decoded.chain;
    }
  }

  #take({ number, savedBatch, hardState, entries }: LogRecord, end: number): void {
    const what = `record ${String(number)} of the log`;
    if (number !== this.#number + 1) throw new DamageError(`${what} follows record ${String(this.#number)}`);
    if (!this.contents.terms.admits(entries)) throw new DamageError(`${what} does not continue the log`);
    this.contents.terms.append(entries);
    this.#takeConfigurations(entries, what);
    if (hardState.term < Math.max(this.#hardState.term, this.contents.terms.lastTerm))
      throw new DamageError(`${what} has an older term than one before`);
    if (hardState.commit > this.contents.terms.lastIndex)
      throw new DamageError(`${what} commits entries beyond the end of the log`);
    const first = entries[0]?.index;
    if (first !== undefined) {
      const where = { segment: this.#segment, offset: this.#offset, end, chain: this.#chain };
      this.contents.regions.add({ first, last: this.contents.terms.lastIndex, ...where });
      this.contents.segments.replacedFrom(first);
    }
    this.#number = number;
    this.#savedBatch = savedBatch;
    this.#hardState = hardState;
  }

  #takeConfigurations(entries: readonly Entry[], what: string): void {
    try {
      this.contents.configurations.append(withOwnConfigurations(entries));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new DamageError(`${what} has a configuration that is none: ${error.message}`, { cause: error });
    }
  }

  /** Looks at what lies behind the last record that is whole. */
  #judgeRest(content: Buffer, place: "full" | "last"): void {
    const rest = content.subarray(this.#offset);
    if (isZero(rest)) return;
    if (place === "last" && isTorn(rest, this.#offset, this.#chain)) return;
    const where = `segment ${String(this.#segment)} of the log, after record ${String(this.#number)}`;
    throw new DamageError(`${where}, is not what was written`);
  }
}

/** Whether a crash in the middle of writing one record can have left this, which begins at `offset` of its file. */
function isTorn(rest: Buffer, offset: number, chain: number): boolean {
  if (isZero(rest.subarray(0, recordHeaderBytes))) return isZero(rest.subarray(0, bytesToSectorEnd(offset)));
  const header = decodeHeader(rest, 0, chain);
  if (header === undefined || header.bytes > rest.length || !isZero(rest.subarray(header.bytes)))
    return false;
  return countZeroSectors(rest.subarray(0, header.bytes), offset) > header.zeroSectors;
}
