import type { SizeLimit } from "../unary-method.ts";
import { tooLargeForGrpc } from "./errors.ts";

/** So much more than a request may have, a message has at most, and an answer that may be parted. */
const overheadBytes = 512 * 1024;

/** Of messages of etcd's clients. @param maxRequestBytes most bytes of a request */
export function messageLimit(maxRequestBytes: number): SizeLimit {
  const maxBytes = maxRequestBytes + overheadBytes;
  return { maxBytes, tooLarge: (bytes) => tooLargeForGrpc(bytes, maxBytes) };
}
