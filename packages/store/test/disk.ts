/** A disk in memory: whole batches, and nothing that was not written. */
import type { Change, StateReader } from "../src/storage.ts";

export class Disk implements StateReader {
  readonly records = new Map<string, Uint8Array>();
  reads = 0;

  get(key: Uint8Array): Uint8Array | undefined {
    this.reads += 1;
    return this.records.get(hex(key));
  }

  write(changes: readonly Change[]): void {
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
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
