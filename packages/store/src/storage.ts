/**
 * The little that the store needs from a disk. It writes nothing itself: it hands out records, and whoever
 * persists them does so once the entries they come from are durable.
 */

/** Point reads of durable state. Synchronous, so that applying stays a plain function. */
export interface StateReader {
  get(key: Uint8Array): Uint8Array | undefined;
}

/** From the first key up to and without the second. */
export interface KeyRange {
  readonly from: Uint8Array;
  readonly before: Uint8Array;
}

export type StoredRecord = readonly [key: Uint8Array, value: Uint8Array];

/** What takes longer, and so happens before or beside applying. */
export interface StateScanner extends StateReader {
  /**
   * The records of a range in the order of their keys, some at a time, as they are when the first are asked
   * for. Who stops before the end calls `return`, as a loop does on its own. Ends with an error if the whole
   * state is replaced meanwhile, or closed.
   *
   * @param most more than so many are not wanted; there may be more all the same
   */
  scan(range: KeyRange, most?: number): AsyncGenerator<readonly StoredRecord[]>;
  /** As {@link get} for each, in the same order, and of a later moment than the call perhaps. */
  getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]>;
}

/** One record to write, or to delete if it has no value. Keys begin with a byte of 0x10 or above. */
export interface RecordChange {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}
