import { assert } from "../assert.ts";
import { frameFlag, frameHeadBytes, frameType, initialSettings } from "./frames.ts";

/** A frame and where its payload lies. One object serves all frames: it is good until the handler returns. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly source: Buffer;
  /** First byte of the payload. */
  readonly start: number;
  /** First byte after the payload. */
  readonly end: number;
}

type Mutable<Shape> = { -readonly [Key in keyof Shape]: Shape[Key] };

/**
 * Cuts a byte stream into frames without copying those that arrive whole.
 *
 * A frame that is split over reads is put together in one buffer of fixed size, so memory is bounded by the
 * largest frame that this side allows.
 */
export class FrameReader {
  readonly #onFrame: (frame: Frame) => void;
  readonly #partial = Buffer.allocUnsafe(frameHeadBytes + initialSettings.frameBytes);
  #partialBytes = 0;
  readonly #frame: Mutable<Frame> = {
    type: 0,
    flags: 0,
    streamId: 0,
    source: this.#partial,
    start: 0,
    end: 0,
  };

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame;
  }

  /** Hands out every frame that `chunk` completes. Throws when a frame is longer than allowed. */
  accept(chunk: Buffer): void {
    let offset = this.#partialBytes === 0 ? 0 : this.#complete(chunk);
    while (chunk.length - offset >= frameHeadBytes) {
      const total = frameHeadBytes + payloadBytesAt(chunk, offset);
      if (chunk.length - offset < total) break;
      this.#deliver(chunk, offset, total);
      offset += total;
    }
    if (offset < chunk.length) this.#keep(chunk, offset, chunk.length);
  }

  /** Finishes the frame begun by an earlier chunk, if this one suffices; returns how much of it was used. */
  #complete(chunk: Buffer): number {
    let used = 0;
    if (this.#partialBytes < frameHeadBytes) {
      used = Math.min(frameHeadBytes - this.#partialBytes, chunk.length);
      this.#keep(chunk, 0, used);
      if (this.#partialBytes < frameHeadBytes) return used;
    }
    const total = frameHeadBytes + payloadBytesAt(this.#partial, 0);
    const rest = Math.min(total - this.#partialBytes, chunk.length - used);
    this.#keep(chunk, used, used + rest);
    if (this.#partialBytes < total) return used + rest;
    this.#partialBytes = 0;
    this.#deliver(this.#partial, 0, total);
    return used + rest;
  }

  #keep(chunk: Buffer, start: number, end: number): void {
    this.#partialBytes += chunk.copy(this.#partial, this.#partialBytes, start, end);
  }

  #deliver(source: Buffer, offset: number, total: number): void {
    const frame = this.#frame;
    frame.type = source[offset + 3] ?? 0;
    frame.flags = source[offset + 4] ?? 0;
    frame.streamId = source.readUInt32BE(offset + 5) & 0x7f_ff_ff_ff;
    frame.source = source;
    frame.start = offset + frameHeadBytes;
    frame.end = offset + total;
    if (frame.type <= frameType.headers) skipPadding(frame);
    this.#onFrame(frame);
  }
}

function payloadBytesAt(source: Buffer, offset: number): number {
  const bytes = source.readUIntBE(offset, 3);
  assert(bytes <= initialSettings.frameBytes, "no frame is longer than this side allows");
  return bytes;
}

/** Narrows DATA and HEADERS to their content. Source: RFC 9113 §6.1 and §6.2. */
function skipPadding(frame: Mutable<Frame>): void {
  if ((frame.flags & frameFlag.padded) !== 0) {
    frame.end -= frame.source[frame.start] ?? 0;
    frame.start += 1;
  }
  if (frame.type === frameType.headers && (frame.flags & frameFlag.priority) !== 0) frame.start += 5;
  assert(frame.start <= frame.end, "padding is shorter than its frame");
}
