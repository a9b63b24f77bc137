/**
 * The little that the store needs from a disk. It writes nothing itself: it hands out changes, and
 * whoever persists them does so once the entries they come from are durable.
 */

/** Point reads of durable state. Synchronous, so that applying stays a plain function. */
export interface StateReader {
  get(key: Uint8Array): Uint8Array | undefined;
}

/** One record to write, or to delete if it has no value. Keys begin with a byte of 0x10 or above. */
export interface Change {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}
