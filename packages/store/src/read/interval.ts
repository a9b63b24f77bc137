import { type ByteString, toByteString } from "../bytes.ts";

/** Keys from the first one up to and without the second, in the order of their bytes. */
export interface Interval {
  readonly from: ByteString;
  /** Undefined: to the end. */
  readonly before: ByteString | undefined;
}

/**
 * As etcd's requests name one.
 *
 * @param rangeEnd empty for the one key, a zero byte for all from that key on, else the first key that is
 * not meant
 */
export function intervalOf(key: Uint8Array, rangeEnd: Uint8Array): Interval {
  const from = toByteString(key);
  if (rangeEnd.length === 0) return onlyKey(from);
  const before = toByteString(rangeEnd);
  return { from, before: before === "\0" ? undefined : before };
}

/** No key is empty. */
export const everyKey: Interval = { from: "\0", before: undefined };

/** Nothing stands between a key and the same with a zero byte behind it. */
export const onlyKey = (key: ByteString): Interval => ({ from: key, before: `${key}\0` });

export const isWithin = (key: ByteString, { from, before }: Interval): boolean =>
  key >= from && (before === undefined || key < before);

/** The first key that does not begin so: the end of the interval of all that do. Undefined if there is none. */
export function behindPrefix(prefix: ByteString): ByteString | undefined {
  for (let end = prefix.length; end > 0; end -= 1) {
    const last = prefix.charCodeAt(end - 1);
    if (last < 0xff) return prefix.slice(0, end - 1) + String.fromCharCode(last + 1);
  }
  return undefined;
}
