/**
 * What has been applied and is not yet durable. Reads look here before they look anywhere else.
 *
 *   add() ─▶ the open layer ─ take() ─▶ layers being written ─ persisted() ─▶ forgotten
 *                                                                   └─ while somebody holds on to it ─▶ kept
 */
import { assert } from "../assert.ts";
import type { ByteString } from "../bytes.ts";
import type { RecordChange } from "../storage.ts";
import type { Change, Made } from "../version.ts";
import { Layer } from "./layer.ts";

const none: readonly Change[] = [];

export class Overlay {
  #open = new Layer();
  /** Newest first. */
  #beingWritten: readonly Layer[] = [];
  /** Durable, and kept for those who began to read the disk before they were. Newest first. */
  #kept: readonly Layer[] = [];
  #holders = 0;

  /** Newest first. Those that are there now go on to answer for what they hold, durable or not. */
  get layers(): readonly Layer[] {
    return [this.#open, ...this.#beingWritten, ...this.#kept];
  }

  /** Memory taken by what is not durable, roughly. */
  get bytes(): number {
    return this.#beingWritten.reduce((sum, { bytes }) => sum + bytes, this.#open.bytes);
  }

  get(key: ByteString): Made | undefined {
    const open = this.#open.current.get(key);
    if (open !== undefined) return open;
    for (const layer of this.#beingWritten) {
      const made = layer.current.get(key);
      if (made !== undefined) return made;
    }
    return undefined;
  }

  /** Of the small tables: what the record is now, if it is not durable yet. */
  record(key: ByteString): { readonly value: Uint8Array | undefined } | undefined {
    for (const { records } of this.layers) if (records.has(key)) return { value: records.get(key) };
    return undefined;
  }

  /** Changes in the open layer. */
  get changeCount(): number {
    return this.#open.changes.length;
  }

  /** Those in the open layer after so many. */
  changesAfter(count: number): readonly Change[] {
    const { changes } = this.#open;
    return changes.length === count ? none : changes.slice(count);
  }

  add(change: Change): void {
    this.#open.add(change);
  }

  put(record: RecordChange): void {
    this.#open.put(record);
  }

  remove(key: Uint8Array): void {
    this.#open.remove(key);
  }

  /** Closes the open layer and returns it. It stays visible until it is durable. */
  take(): Layer {
    const layer = this.#open;
    this.#beingWritten = [layer, ...this.#beingWritten];
    this.#open = new Layer();
    return layer;
  }

  /** The oldest layer taken is durable: it is forgotten, and returned. */
  persisted(): Layer {
    const layer = this.#beingWritten.at(-1);
    assert(layer !== undefined, "only changes that were taken can become durable");
    this.#beingWritten = this.#beingWritten.slice(0, -1);
    if (this.#holders > 0) this.#kept = [layer, ...this.#kept];
    return layer;
  }

  /**
   * From now on nothing is forgotten: what is read from the disk, from this moment on, is older than what
   * stands here. Returns what ends that.
   */
  hold(): () => void {
    this.#holders += 1;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#holders -= 1;
      if (this.#holders === 0) this.#kept = [];
    };
  }
}
