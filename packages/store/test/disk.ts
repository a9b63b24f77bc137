/** A disk in memory: whole batches, and nothing that was not written. */
import type { KeyRange, RecordChange, StateScanner, StoredRecord } from "../src/storage.ts";

export interface DiskOptions {
  /** Records that a scan gives at a time: few, so that what happens at their borders is seen. */
  readonly batchRecords: number;
  /** How often others have their turn before a batch, or many records, are there. */
  readonly turns: number;
}

export class Disk implements StateScanner {
  readonly records = new Map<string, Uint8Array>();
  reads = 0;
  /** Scans that are begun while there is one wait for it. */
  gate: Promise<void> | undefined;
  readonly #options: DiskOptions;

  constructor(options: DiskOptions = { batchRecords: 3, turns: 0 }) {
    this.#options = options;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    this.reads += 1;
    return this.records.get(hex(key));
  }

  scan({ from, before }: KeyRange): AsyncGenerator<readonly StoredRecord[]> {
    const [first, behind] = [hex(from), hex(before)];
    const found = [...this.records].filter(([key]) => key >= first && key < behind).sort(byKey);
    const records = found.map(([key, record]): StoredRecord => [Buffer.from(key, "hex"), record]);
    return this.#batches(records, this.gate);
  }

  async getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    await this.#pause();
    return keys.map((key) => this.get(key));
  }

  write(changes: readonly RecordChange[]): void {
    for (const { key, value } of changes) {
      if (value === undefined) this.records.delete(hex(key));
      else this.records.set(hex(key), Uint8Array.from(value));
    }
  }

  /** Another state takes the place of this one, as a whole. */
  replaceWith(other: Disk): void {
    this.records.clear();
    for (const [key, record] of other.records) this.records.set(key, record);
  }

  damage(key: Uint8Array, change: (record: Uint8Array) => Uint8Array): void {
    const record = this.records.get(hex(key));
    if (record === undefined) throw new Error("there is no such record to damage");
    this.records.set(hex(key), change(Uint8Array.from(record)));
  }

  /** Everything on it, in the order of the keys: for comparing two. */
  content(): readonly string[] {
    return [...this.records].sort(byKey).map(([key, record]) => `${key} ${hex(record)}`);
  }

  async *#batches(
    records: readonly StoredRecord[],
    gate: Promise<void> | undefined,
  ): AsyncGenerator<readonly StoredRecord[]> {
    await gate;
    const { batchRecords } = this.#options;
    for (let start = 0; start < records.length; start += batchRecords) {
      await this.#pause();
      yield records.slice(start, start + batchRecords);
    }
  }

  async #pause(): Promise<void> {
    for (let left = this.#options.turns; left > 0; left -= 1) await turn();
  }
}

type Row = readonly [string, Uint8Array];

const byKey = ([a]: Row, [b]: Row): number => (a < b ? -1 : a > b ? 1 : 0);

/** Lets others have their turn. */
export async function turn(): Promise<void> {
  await Promise.resolve();
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
