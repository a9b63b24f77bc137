/**
 * The durable log: records in segments, one record and one sync for each batch.
 *
 *   0000000001.log        0000000002.log               next
 *   │hdr│rec│rec│ … │000│ │hdr│rec│rec│  000000000  │  │ 000000000000 │
 *                                     ▲ #offset        prepared, becomes 0000000003.log
 *
 * It is a file of our own, beside LevelDB, for what it does to a single write: LevelDB syncs on another
 * thread and grows its log with each batch, which takes 0.6 ms; into a prepared file, in place, 0.2 ms.
 * And its end can be judged: LevelDB drops damaged records of its log without a word.
 *
 * Invariants: one batch is appended at a time; after a failed write or sync nothing is written any more,
 * because nobody knows what the disk has.
 */
import { closeSync } from "node:fs";
import { logIndex, type Entry, type HardState, type LogIndex, type LogReader, type Term } from "@dkv/raft";
import { assert } from "../../platform/assert.ts";
import type { Clock } from "../../platform/clock.ts";
import { DamageError } from "../damage.ts";
import { formatVersion, type Identity, type LogBatch } from "../storage.ts";
import { DiskSync } from "./disk-sync.ts";
import { RecentEntries } from "./recent-entries.ts";
import { decodeRecord, encodeRecord } from "./record.ts";
import type { Region, Regions } from "./regions.ts";
import {
  activateSpare,
  prepareSpare,
  readRange,
  segmentHeaderBytes,
  segmentPath,
  writeAll,
  type OpenSegment,
} from "./segment-file.ts";

export interface SegmentedLogOptions {
  readonly directory: string;
  readonly identity: Identity;
  /** Size of a segment. One that takes a larger record is larger. */
  readonly segmentBytes: number;
  /** Bounds the newest entries that are kept in memory, for followers that are a little behind. */
  readonly recentBytes: number;
}

/** Where the log ends. */
export interface LogEnd {
  readonly segment: OpenSegment;
  readonly offset: number;
  readonly chain: number;
  /** Number of the last record. */
  readonly number: number;
  readonly hardState: HardState;
  readonly lastIndex: LogIndex;
}

export interface SegmentedLogDeps {
  readonly clock: Pick<Clock, "nowMs">;
  readonly regions: Regions;
}

export class SegmentedLog implements LogReader {
  readonly firstIndex = logIndex(1);
  readonly #options: SegmentedLogOptions;
  readonly #regions: Regions;
  readonly #disk: DiskSync;
  readonly #recent: RecentEntries;
  #end: LogEnd;
  #spare: Promise<void>;

  constructor(options: SegmentedLogOptions, end: LogEnd, { clock, regions }: SegmentedLogDeps) {
    this.#options = options;
    this.#end = end;
    this.#regions = regions;
    this.#disk = new DiskSync(clock);
    this.#recent = new RecentEntries(options.recentBytes);
    this.#spare = this.#prepare(options.segmentBytes);
  }

  get lastIndex(): LogIndex {
    return this.#end.lastIndex;
  }

  /** As of the last record. */
  get hardState(): HardState {
    return this.#end.hardState;
  }

  /** Number of the last record. */
  get lastRecord(): number {
    return this.#end.number;
  }

  /** Resolves when the batch is durable. */
  async append({ hardState = this.hardState, entries }: LogBatch, savedBatch: number): Promise<void> {
    this.#check(hardState, entries);
    const number = this.#end.number + 1;
    const record = encodeRecord({ number, savedBatch, hardState, entries }, this.#end.chain);
    if (this.#end.offset + record.length > this.#end.segment.bytes) await this.#nextSegment(record.length);
    const { segment, offset, chain } = this.#end;
    writeAll(segment.descriptor, record, offset);
    await this.#disk.sync(segment.descriptor);
    const end = offset + record.length;
    this.#place(entries, { segment: segment.number, offset, end, chain });
    const lastIndex = entries.at(-1)?.index ?? this.lastIndex;
    this.#end = { segment, offset: end, chain: record.readUInt32BE(0), number, hardState, lastIndex };
  }

  termAt(index: LogIndex): Term | undefined {
    if (index === 0) return 0 as Term;
    if (!this.#holds(index)) return undefined;
    return (this.#recent.get(index) ?? this.#read(index, next(index))[0])?.term;
  }

  entries(from: LogIndex, to: LogIndex, maxBytes: number): readonly Entry[] {
    assert(
      from < to && this.#holds(from) && to <= this.lastIndex + 1,
      "only entries of the log are asked for",
    );
    const found: Entry[] = [];
    let bytes = 0;
    while (from + found.length < to) {
      const index = logIndex(from + found.length);
      const recent = this.#recent.get(index);
      for (const entry of recent === undefined ? this.#read(index, to) : [recent]) {
        bytes += entry.data.length;
        if (found.length > 0 && bytes > maxBytes) return found;
        found.push(entry);
      }
    }
    return found;
  }

  /** Waits for nothing that was appended, only for the file being prepared. */
  async close(): Promise<void> {
    await this.#spare.catch(() => undefined);
    closeSync(this.#end.segment.descriptor);
  }

  async #nextSegment(recordBytes: number): Promise<void> {
    const { directory, identity, segmentBytes } = this.#options;
    const { segment, chain } = this.#end;
    await this.#spare;
    const bytes = Math.max(segmentBytes, segmentHeaderBytes + recordBytes);
    if (bytes > segmentBytes) await prepareSpare(directory, bytes);
    const header = { format: formatVersion, bytes, identity, number: segment.number + 1, chain };
    const opened = activateSpare(directory, header);
    closeSync(segment.descriptor);
    this.#end = { ...this.#end, segment: opened, offset: segmentHeaderBytes };
    this.#spare = this.#prepare(segmentBytes);
  }

  /** A failure counts when the file is needed. */
  #prepare(bytes: number): Promise<void> {
    const prepared = prepareSpare(this.#options.directory, bytes);
    prepared.catch(() => undefined);
    return prepared;
  }

  #place(entries: readonly Entry[], where: Pick<Region, "segment" | "offset" | "end" | "chain">): void {
    const first = entries[0]?.index;
    const last = entries.at(-1)?.index;
    if (first === undefined || last === undefined) return;
    this.#regions.add({ first, last, ...where });
    this.#recent.append(entries);
  }

  /** Throws unless the batch is one that {@link recoverLog} will accept at the next start. */
  #check(hardState: HardState, entries: readonly Entry[]): void {
    const [first] = entries;
    const last = entries.at(-1);
    assert(hardState.term >= this.hardState.term, "the current term never decreases");
    assert(
      last === undefined || last.term <= hardState.term,
      "no entry is of a later term than the current one",
    );
    assert(hardState.commit <= (last?.index ?? this.lastIndex), "the commit index is within the log");
    if (first === undefined) return;
    assert(
      first.index >= this.firstIndex && first.index <= this.lastIndex + 1,
      "entries follow the log without a gap",
    );
    let before = this.termAt(logIndex(first.index - 1));
    for (const [position, entry] of entries.entries()) {
      assert(entry.index === first.index + position, "entries are contiguous");
      assert(before !== undefined && entry.term >= before, "terms never decrease along the log");
      before = entry.term;
    }
  }

  #holds(index: LogIndex): boolean {
    return index >= this.firstIndex && index <= this.lastIndex;
  }

  /** From the files: the entry at `from` at least, then more of its region, up to and without `to`. */
  #read(from: LogIndex, to: LogIndex): readonly Entry[] {
    const found = this.#regions.find(from);
    if (found === undefined) throw missing(from);
    const { region, before } = found;
    const path = segmentPath(this.#options.directory, region.segment);
    const content = readRange(path, region.offset, region.end);
    const entries: Entry[] = [];
    for (let [offset, chain] = [0, region.chain]; offset < content.length; ) {
      const decoded = decodeRecord(content, offset, chain);
      if (decoded === undefined) throw new DamageError(`the file ${path} is not what was written`);
      for (const entry of decoded.record.entries) {
        if (entry.index >= from && entry.index < Math.min(to, before)) entries.push(entry);
      }
      ({ end: offset, chain } = decoded);
    }
    if (entries[0]?.index !== from) throw missing(from);
    return entries;
  }
}

const missing = (index: LogIndex): DamageError => new DamageError(`log entry ${String(index)} is missing`);
const next = (index: LogIndex): LogIndex => (index + 1) as LogIndex;
