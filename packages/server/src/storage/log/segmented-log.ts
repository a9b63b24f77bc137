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
import { unlink } from "node:fs/promises";
import {
  decodeConfiguration,
  logIndex,
  type Configuration,
  type ConfigurationAt,
  type Entry,
  type HardState,
  type LogIndex,
  type LogReader,
  type Term,
} from "@dkv/raft";
import { assert } from "../../platform/assert.ts";
import type { Clock } from "../../platform/clock.ts";
import { DamageError } from "../damage.ts";
import { formatVersion, type LogBatch } from "../storage.ts";
import { DiskSync } from "./disk-sync.ts";
import type { LogBase } from "./log-base.ts";
import type { LogContents } from "./log-contents.ts";
import type { LogEnd, LogOptions } from "./log-end.ts";
import { withOwnConfigurations } from "./own-data.ts";
import { RecentEntries } from "./recent-entries.ts";
import { checksumOf, decodeRecord, encodeRecord } from "./record.ts";
import type { Region } from "./regions.ts";
import {
  activateSpare,
  prepareSpare,
  readRange,
  segmentHeaderBytes,
  segmentPath,
  syncDirectoryElsewhere,
  writeAll,
} from "./segment-file.ts";

/** What recovery has found out about the records, and a clock. */
export interface SegmentedLogDeps extends LogContents {
  readonly clock: Pick<Clock, "nowMs">;
}

/** The entries of one region, as read from its file. */
interface ReadRegion {
  readonly region: Region;
  readonly entries: readonly Entry[];
}

export class SegmentedLog implements LogReader {
  readonly #options: LogOptions;
  readonly #contents: LogContents;
  readonly #disk: DiskSync;
  readonly #recent: RecentEntries;
  #end: LogEnd;
  #spare: Promise<void>;
  /** A follower that is far behind reads one region in several messages. */
  #lastRead: ReadRegion | undefined;
  /** Entries up to this one stay as they are: they are being dropped, or were. */
  #settled: LogIndex;

  constructor(options: LogOptions, end: LogEnd, { clock, ...contents }: SegmentedLogDeps) {
    this.#options = options;
    this.#end = end;
    this.#contents = contents;
    this.#settled = contents.terms.base.index;
    this.#disk = new DiskSync(clock);
    this.#recent = new RecentEntries(options.recentBytes);
    this.#spare = this.#prepare(options.segmentBytes);
  }

  get firstIndex(): LogIndex {
    return logIndex(this.#contents.terms.base.index + 1);
  }

  get lastIndex(): LogIndex {
    return this.#contents.terms.lastIndex;
  }

  /** The one in force before the first entry, then those of the entries. */
  get configurations(): readonly [ConfigurationAt, ...ConfigurationAt[]] {
    return this.#contents.configurations.all();
  }

  /** The one in force at an index that is not before {@link firstIndex} - 1. */
  configurationAt(index: LogIndex): Configuration {
    return this.#contents.configurations.at(index).configuration;
  }

  /** Size of the segments; the prepared file is not among them. */
  get bytes(): number {
    return this.#contents.segments.bytes;
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
    const record = { number, savedBatch, hardState, entries };
    let bytes = encodeRecord(record, this.#end);
    if (this.#end.offset + bytes.length > this.#end.segment.bytes) {
      await this.#nextSegment(bytes.length);
      bytes = encodeRecord(record, this.#end);
    }
    const { segment, offset, chain } = this.#end;
    writeAll(segment.descriptor, bytes, offset);
    await this.#disk.sync(segment.descriptor, bytes.length);
    const end = offset + bytes.length;
    this.#end = { segment, offset: end, chain: checksumOf(bytes), number, hardState };
    this.#appended(entries, { segment: segment.number, offset, end, chain });
  }

  termAt(index: LogIndex): Term | undefined {
    return this.#contents.terms.at(index);
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

  /**
   * Where the log could begin instead without lacking an entry after `limit`; undefined if that is where it
   * begins. From now on no entry before that place may be replaced.
   */
  nextBase(limit: LogIndex): LogBase | undefined {
    const { segments, terms, configurations } = this.#contents;
    const beginning = segments.beginning(limit, this.lastRecord);
    if (beginning === undefined) return undefined;
    const { number: segment, record, chain, after: index } = beginning;
    const term = terms.at(index);
    assert(term !== undefined, "the log begins behind one of its entries");
    this.#settled = index;
    return { last: { index, term }, configuration: configurations.at(index), segment, record, chain };
  }

  /**
   * Drops all before the base, which {@link nextBase} gave and which is durable: a start goes on deleting.
   * Nobody sees the entries any more when the first file goes.
   */
  async dropBefore({ last, segment }: LogBase): Promise<void> {
    const { directory } = this.#options;
    const { segments, regions, terms, configurations } = this.#contents;
    const dropped = segments.dropBefore(segment);
    regions.dropBefore(segment);
    terms.compact(last);
    configurations.compact(last.index);
    for (const number of dropped) await unlink(segmentPath(directory, number));
    await syncDirectoryElsewhere(directory);
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
    const number = segment.number + 1;
    const opened = activateSpare(directory, { format: formatVersion, bytes, identity, number, chain });
    closeSync(segment.descriptor);
    const record = this.#end.number + 1;
    this.#contents.segments.add({ number, bytes, record, chain, after: this.lastIndex });
    this.#end = { ...this.#end, segment: opened, offset: segmentHeaderBytes };
    this.#spare = this.#prepare(segmentBytes);
  }

  /** A failure counts when the file is needed. */
  #prepare(bytes: number): Promise<void> {
    const prepared = prepareSpare(this.#options.directory, bytes);
    prepared.catch(() => undefined);
    return prepared;
  }

  #appended(entries: readonly Entry[], where: Pick<Region, "segment" | "offset" | "end" | "chain">): void {
    const first = entries[0]?.index;
    const last = entries.at(-1)?.index;
    if (first === undefined || last === undefined) return;
    const { terms, regions, segments, configurations } = this.#contents;
    terms.append(entries);
    regions.add({ first, last, ...where });
    segments.replacedFrom(first);
    configurations.append(withOwnConfigurations(entries));
    this.#recent.append(entries);
  }

  /** Throws unless the batch is one that {@link recoverLog} will accept at the next start. */
  #check(hardState: HardState, entries: readonly Entry[]): void {
    const last = entries.at(-1);
    assert(hardState.term >= this.hardState.term, "the current term never decreases");
    assert(
      last === undefined || last.term <= hardState.term,
      "no entry is of a later term than the current one",
    );
    assert(hardState.commit <= (last?.index ?? this.lastIndex), "the commit index is within the log");
    assert(
      this.#contents.terms.admits(entries),
      "entries follow the log without a gap, and terms never decrease",
    );
    assert(
      (entries[0]?.index ?? Number.POSITIVE_INFINITY) > this.#settled,
      "what was applied is not replaced",
    );
    for (const { kind, data } of entries) if (kind === "configuration") decodeConfiguration(data);
  }

  #holds(index: LogIndex): boolean {
    return index >= this.firstIndex && index <= this.lastIndex;
  }

  /** From the files: the entry at `from` at least, then more of its region, up to and without `to`. */
  #read(from: LogIndex, to: LogIndex): readonly Entry[] {
    const found = this.#contents.regions.find(from);
    if (found === undefined) throw missing(from);
    const { region, before } = found;
    if (this.#lastRead?.region !== region) this.#lastRead = { region, entries: this.#readRegion(region) };
    const end = Math.min(to, before);
    const entries = this.#lastRead.entries.filter(({ index }) => index >= from && index < end);
    if (entries[0]?.index !== from) throw missing(from);
    return entries;
  }

  #readRegion({ segment, offset: start, end, chain: before }: Region): readonly Entry[] {
    const path = segmentPath(this.#options.directory, segment);
    const content = readRange(path, start, end);
    const entries: Entry[] = [];
    for (let [offset, chain] = [0, before]; offset < content.length; ) {
      const decoded = decodeRecord(content, offset, chain);
      if (decoded === undefined) throw new DamageError(`the file ${path} is not what was written`);
      for (const entry of decoded.record.entries) entries.push(entry);
      ({ end: offset, chain } = decoded);
    }
    return entries;
  }
}

const missing = (index: LogIndex): DamageError => new DamageError(`log entry ${String(index)} is missing`);
