import { ConnectionError } from "./connection-error.ts";
import { errorCode, frameFlag, frameHeadBytes, frameType, initialSettings } from "./frames.ts";

/** A frame and where its content lies. One object serves all frames: it is good until the handler returns. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  /** Keeps its bytes after the handler has returned, if the chunks given to the reader do. */
  readonly source: Buffer;
  /** First byte of the content: after padding length and priority, which DATA and HEADERS may have. */
  readonly start: number;
  /** First byte after the content. */
  readonly end: number;
  /** Length of the whole payload, padding included: what counts for flow control. */
  readonly payloadBytes: number;
}

type Mutable<Shape> = { -readonly [Key in keyof Shape]: Shape[Key] };

const nothing = Buffer.alloc(0);

/**
 * Cuts a byte stream into frames without copying those that arrive whole.
 *
 * A frame that is split over reads is put together in a buffer of its own, so memory is bounded by the
 * largest frame that this side allows.
 */
export class FrameReader {
  readonly #onFrame: (frame: Frame) => void;
  /** The head of a frame of which less than that has come. */
  readonly #head = Buffer.alloc(frameHeadBytes);
  #headBytes = 0;
  /** A frame whose head is known and whose payload is still coming. */
  #split: Buffer | undefined;
  #splitBytes = 0;
  readonly #frame: Mutable<Frame> = {
    type: 0,
    flags: 0,
    streamId: 0,
    source: nothing,
    start: 0,
    end: 0,
    payloadBytes: 0,
  };

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame;
  }

  /** Hands out every frame that `chunk` completes. Throws when a frame is longer than allowed. */
  accept(chunk: Buffer): void {
    let offset = this.#headBytes === 0 ? 0 : this.#complete(chunk, 0);
    while (chunk.length - offset >= frameHeadBytes) {
      const total = frameHeadBytes + payloadBytesAt(chunk, offset);
      if (chunk.length - offset < total) break;
      this.#deliver(chunk, offset, total);
      offset += total;
    }
    if (offset < chunk.length) this.#complete(chunk, offset);
  }

  /** Adds to the frame that is split, and delivers it once it is whole; returns how far the chunk is used. */
  #complete(chunk: Buffer, start: number): number {
    let offset = start;
    if (this.#split === undefined) {
      const copied = chunk.copy(
        this.#head,
        this.#headBytes,
        offset,
        offset + frameHeadBytes - this.#headBytes,
      );
      this.#headBytes += copied;
      offset += copied;
      if (this.#headBytes < frameHeadBytes) return offset;
      this.#split = Buffer.allocUnsafe(frameHeadBytes + payloadBytesAt(this.#head, 0));
      this.#splitBytes = this.#head.copy(this.#split);
    }
    const split = this.#split;
    const rest = Math.min(split.length - this.#splitBytes, chunk.length - offset);
    chunk.copy(split, this.#splitBytes, offset, offset + rest);
    this.#splitBytes += rest;
    if (this.#splitBytes < split.length) return offset + rest;
    this.#split = undefined;
    this.#headBytes = 0;
    this.#deliver(split, 0, split.length);
    return offset + rest;
  }

  #deliver(source: Buffer, offset: number, total: number): void {
    const frame = this.#frame;
    frame.type = source[offset + 3] ?? 0;
    frame.flags = source[offset + 4] ?? 0;
    frame.streamId = source.readUInt32BE(offset + 5) & 0x7f_ff_ff_ff;
    frame.source = source;
    frame.start = offset + frameHeadBytes;
    frame.end = offset + total;
    frame.payloadBytes = total - frameHeadBytes;
    if (frame.type <= frameType.headers) skipPadding(frame);
    this.#onFrame(frame);
  }
}

function payloadBytesAt(source: Buffer, offset: number): number {
  const bytes = ((source[offset] ?? 0) << 16) | ((source[offset + 1] ?? 0) << 8) | (source[offset + 2] ?? 0);
  if (bytes > initialSettings.frameBytes) {
    throw new ConnectionError(errorCode.frameSize, "no frame is longer than this side allows");
  }
  return bytes;
}

/** Narrows DATA and HEADERS to their content. Source: RFC 9113 §6.1 and §6.2. */
function skipPadding(frame: Mutable<Frame>): void {
  if ((frame.flags & frameFlag.padded) !== 0) {
    frame.end -= frame.source[frame.start] ?? 0;
    frame.start += 1;
  }
  if (frame.type === frameType.headers && (frame.flags & frameFlag.priority) !== 0) frame.start += 5;
  if (frame.start > frame.end) {
    throw new ConnectionError(errorCode.protocol, "padding is shorter than its frame");
  }
}
