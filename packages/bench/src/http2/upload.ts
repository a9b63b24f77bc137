import {
  frame,
  frameFlag,
  frameType,
  initialSettings,
  largestWindowBytes,
  type Output,
  windowUpdateFrame,
} from "@dkv/http2";
import { assert } from "../assert.ts";

export interface UploadDeps {
  readonly streamId: number;
  readonly output: Output;
  /** What the peer takes before it opens the window. */
  readonly windowBytes: number;
  /** What the peer may send before we open ours. */
  readonly receiveWindowBytes: number;
  /** Takes bytes of the connection's window; false if there are too few. */
  readonly takeWindow: (bytes: number) => boolean;
}

/** The body of a request that goes out piece by piece, and both windows of its stream. */
export class Upload {
  readonly #deps: UploadDeps;
  #window: number;
  #receivedBytes = 0;
  /** What the windows do not admit yet. */
  #waiting: { readonly bytes: Uint8Array; readonly isLast: boolean }[] = [];

  constructor(deps: UploadDeps) {
    this.#deps = deps;
    this.#window = deps.windowBytes;
  }

  /** Puts a copy of the bytes, which fit one frame, into the output; the connection's `flush` sends it. */
  send(bytes: Uint8Array): void {
    assert(bytes.length <= initialSettings.frameBytes, "what is sent at once fits one frame");
    this.#send(bytes, false);
  }

  /** Says that no more will come. */
  end(): void {
    this.#send(Buffer.alloc(0), true);
  }

  /** The peer has opened the window of the stream by so much, or that of the connection. */
  opened(bytes: number): void {
    this.#window += bytes;
    assert(this.#window <= largestWindowBytes, "the peer's window stays within its bounds");
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { bytes: piece, isLast } of waiting) this.#send(piece, isLast);
  }

  /** So much has come of the answer. */
  received(bytes: number): void {
    this.#receivedBytes += bytes;
    const { output, streamId, receiveWindowBytes } = this.#deps;
    if (this.#receivedBytes < receiveWindowBytes / 2) return;
    output.append(windowUpdateFrame(streamId, this.#receivedBytes));
    this.#receivedBytes = 0;
  }

  #send(bytes: Uint8Array, isLast: boolean): void {
    const { output, streamId, takeWindow } = this.#deps;
    const mayGo = this.#waiting.length === 0 && bytes.length <= this.#window;
    if (!mayGo || !takeWindow(bytes.length)) {
      this.#waiting.push({ bytes: Uint8Array.from(bytes), isLast });
      return;
    }
    this.#window -= bytes.length;
    output.append(frame({ type: frameType.data, flags: isLast ? frameFlag.endStream : 0, streamId }, bytes));
  }
}
