/**
 * How large a request may be.
 *
 * There are two limits. The one that users set counts key and value, so that it means the same in every
 * protocol; `dkv-v1/service.ts` checks it. The other bounds what is read from the network at all. It is
 * wider, because JSON writes bytes as base64 and may escape every character of a key, and a request
 * between the two is to get the same clear text as any other that is too large.
 */
import { DkvError } from "../platform/errors.ts";

const framingBytes = 64 * 1024;

/** Most bytes of one encoded message that are read. */
export function maxMessageBytes(maxRequestBytes: number): number {
  return 2 * maxRequestBytes + framingBytes;
}

export function requestTooLarge(maxRequestBytes: number): DkvError {
  return new DkvError(
    "requestTooLarge",
    `request is too large: key and value may have ${String(maxRequestBytes)} bytes together (--max-request-bytes)`,
  );
}
