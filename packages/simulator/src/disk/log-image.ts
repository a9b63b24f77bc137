/**
 * The log on a platter: records of the production codec, each with a checksum that continues the one before.
 * A torn record at the end is dropped, for nobody was promised it; anything else that is wrong is damage.
 */
import {
  ConfigurationHistory,
  type ConfigurationAt,
  type Entry,
  type HardState,
  indexAfter,
  type LogIndex,
  type LogReader,
  noEntry,
  type Term,
} from "@dkv/raft";
import { DamageError } from "@dkv/server/storage/damage";
import {
  checksumOf,
  type DecodedRecord,
  decodeHeader,
  decodeRecord,
  encodeRecord,
} from "@dkv/server/storage/log/record";
import type { LogBatch } from "@dkv/server/storage/storage";
import { checkBatch } from "./batch-rules.ts";
import type { Generation, StoredBase, StoredRecord } from "./platter.ts";

export class LogImage implements LogReader {
  readonly #generation: Generation;
  readonly #entries: Entry[] = [];
  readonly #history: ConfigurationHistory;
  hardState: HardState = { term: noEntry.term, votedFor: undefined, commit: noEntry.index };
  #chain: number;
  #bytes = 0;

  /** Reads what is there. Throws a DamageError. @param onTorn called for a torn record that is dropped */
  constructor(generation: Generation, onTorn: () => void = () => undefined) {
    this.#generation = generation;
    this.#history = new ConfigurationHistory(generation.base.configuration);
    this.#chain = generation.base.chain;
    this.#recover(onTorn);
  }

  get firstIndex(): LogIndex {
    return indexAfter(this.#generation.base.last.index);
  }

  get lastIndex(): LogIndex {
    return indexAfter(this.#generation.base.last.index, this.#entries.length);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Applied in the durable state. */
  get settled(): number {
    return this.#generation.marker.appliedIndex;
  }

  /** Number of the newest durable record; 0 for none. */
  get lastRecord(): number {
    return this.#generation.base.record - 1 + this.#generation.records.length;
  }

  get configurations(): readonly [ConfigurationAt, ...ConfigurationAt[]] {
    return this.#history.all();
  }

  configurationAt(index: LogIndex): ConfigurationAt {
    return this.#history.at(index);
  }

  termAt(index: LogIndex): Term | undefined {
    const { last } = this.#generation.base;
    return index === last.index ? last.term : this.#entries[index - last.index - 1]?.term;
  }

  entries(from: LogIndex, to: LogIndex, maxBytes: number): readonly Entry[] {
    const offset = this.#generation.base.last.index + 1;
    let end = from - offset;
    let bytes = 0;
    for (; end < to - offset; end += 1) {
      bytes += this.#entries[end]?.data.length ?? 0;
      if (bytes > maxBytes && end > from - offset) break;
    }
    return this.#entries.slice(from - offset, end);
  }

  /** The record that a batch makes. Throws RangeError for a configuration that is none. */
  encode(batch: LogBatch): StoredRecord {
    const number = this.lastRecord + 1;
    checkBatch(this, batch.hardState ?? this.hardState, batch.entries);
    // Also a check: what makes no sense must not reach the platter.
    new ConfigurationHistory(this.#generation.base.configuration).append(batch.entries);
    const record = {
      number,
      savedBatch: 0,
      hardState: batch.hardState ?? this.hardState,
      entries: batch.entries,
    };
    return { number, bytes: encodeRecord(record, { offset: 0, chain: this.#chain }) };
  }

  /** The record is durable. */
  add(record: StoredRecord, batch: LogBatch): void {
    this.#generation.records.push(record);
    this.#chain = checksumOf(record.bytes);
    this.#bytes += record.bytes.length;
    this.#take(batch.hardState ?? this.hardState, batch.entries);
  }

  /** Drops whole records of entries up to `upTo`. Returns whether any. */
  compact(upTo: LogIndex): boolean {
    const generation = this.#generation;
    const { cut, base } = this.#cutBefore(upTo);
    if (cut === 0) return false;
    const configuration = this.#history.at(base.last.index);
    this.#entries.splice(0, base.last.index - generation.base.last.index);
    this.#history.compact(base.last.index);
    for (const { bytes } of generation.records.splice(0, cut)) this.#bytes -= bytes.length;
    generation.base = { ...base, configuration };
    return true;
  }

  /**
   * How many records can go, and where the log begins then. Not between two of which the second replaces
   * entries of the first: it has to follow on the base without a gap, and without going back.
   */
  #cutBefore(upTo: LogIndex): { readonly cut: number; readonly base: Omit<StoredBase, "configuration"> } {
    const { records, base: start } = this.#generation;
    const decoded = this.#decoded();
    const firsts = decoded.map(({ record }) => record.entries[0]?.index ?? Number.POSITIVE_INFINITY);
    let [cut, base, { last }] = [0, omitConfiguration(start), start];
    for (const [position, { record, chain }] of decoded.slice(0, -1).entries()) {
      const entry = record.entries.at(-1);
      if (entry !== undefined) last = { index: entry.index, term: entry.term };
      if (last.index > upTo) break;
      if (Math.min(...firsts.slice(position + 1)) <= last.index || last.index === start.last.index) continue;
      cut = position + 1;
      base = { last, chain, record: (records[position]?.number ?? 0) + 1 };
    }
    return { cut, base };
  }

  #decoded(): readonly DecodedRecord[] {
    const { records, base } = this.#generation;
    const decoded: DecodedRecord[] = [];
    for (const { bytes } of records) {
      const one = decodeRecord(bytes, 0, decoded.at(-1)?.chain ?? base.chain);
      // Damaged: what is not read again is found at the next start.
      if (one === undefined) break;
      decoded.push(one);
    }
    return decoded;
  }

  #recover(onTorn: () => void): void {
    const { records, marker } = this.#generation;
    for (const [position, stored] of records.entries()) {
      const decoded = decodeRecord(stored.bytes, 0, this.#chain);
      if (decoded === undefined) {
        this.#dropTorn(position);
        onTorn();
        break;
      }
      this.#chain = decoded.chain;
      this.#bytes += stored.bytes.length;
      this.#take(decoded.record.hardState, decoded.record.entries);
    }
    if (this.lastRecord < marker.durableRecord)
      throw new DamageError("the log ends before what the state says was durable in it");
  }

  /** The record cannot be read: a write that a crash cut short, or damage. */
  #dropTorn(position: number): void {
    const { records } = this.#generation;
    const stored = records[position];
    const isLast = position === records.length - 1;
    const header = stored && decodeHeader(stored.bytes, 0, this.#chain);
    const isWhole = header !== undefined && stored !== undefined && stored.bytes.length >= header.bytes;
    if (!isLast || isWhole || (header === undefined && (stored?.bytes.length ?? 0) >= tornHeaderBytes))
      throw new DamageError("a record of the log is not what was written");
    records.length = position;
  }

  #take(hardState: HardState, entries: readonly Entry[]): void {
    this.hardState = hardState;
    const [first] = entries;
    if (first === undefined) return;
    this.#entries.length = first.index - this.#generation.base.last.index - 1;
    this.#entries.push(...entries);
    // A configuration is kept for long, and the record's bytes with it if it were a view of them.
    const isNews = entries.some(({ kind }) => kind === "configuration");
    this.#history.append(isNews ? entries.map(ownConfiguration) : entries);
  }
}

/** A record that was torn within its header has not even these bytes. */
const tornHeaderBytes = 16;

/** What a crash leaves of a record, if it leaves a part. */
export function torn({ bytes, number }: StoredRecord, share: number): StoredRecord {
  return { number, bytes: bytes.subarray(0, Math.floor(share * bytes.length)) };
}

const omitConfiguration = ({ last, record, chain }: StoredBase) => ({ last, record, chain });

const ownConfiguration = (entry: Entry): Entry =>
  entry.kind === "configuration" ? { ...entry, data: Uint8Array.from(entry.data) } : entry;
