import type { Header } from "@dkv/http2";

/**
 * One request and what is told about its answer. An object may be used again once its call has ended.
 *
 * Ends with exactly one of `onEnd` and `onFailure`. Bytes are handed over as a buffer and two offsets, good
 * only until the function returns.
 */
export interface Call extends StreamedCall {
  readonly bodyBytes: number;
  /** Writes exactly `bodyBytes` bytes. Called when the request leaves, which may be later than its start. */
  writeBody(target: Buffer, offset: number): void;
}

/** The same of a request whose body is sent piece by piece. */
export interface StreamedCall {
  /** The same list for all calls of a kind: it is known by identity. */
  readonly headers: readonly Header[];
  onData(source: Buffer, start: number, end: number): void;
  /** The peer ended the stream; the bytes are its last header block, or none if it ended with DATA. */
  onEnd(source: Buffer, start: number, end: number): void;
  /** No whole answer will come. The reason is one short phrase, the same for the same kind of failure. */
  onFailure(reason: string): void;
}
