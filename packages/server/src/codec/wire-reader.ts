import { DecodeError } from "./decode-error.ts";

/** No honest member ever counts so far. Beyond, the core could not count on exactly. */
const maxEntryCount = 2 ** 52;

/** A term or an index. Throws a DecodeError. */
export function checkedEntryCount(count: number): number {
  if (count > maxEntryCount) throw new DecodeError("a term or an index is above 2^52");
  return count;
}

/** Eight bytes at a time pass through it: a view of every frame would cost more than reading the frame. */
const eightBytes = new DataView(new ArrayBuffer(8));

/**
 * Reads protobuf fields one after the other. Every method throws a DecodeError rather than read beyond the
 * end.
 */
export class WireReader {
  readonly #bytes: Uint8Array;
  #position = 0;
  /** End of the innermost message. */
  #end: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#end = bytes.length;
  }

  /** Goes into the nested message that begins here; returns what {@link leave} wants back. */
  enter(): number {
    const length = this.#length();
    const outerEnd = this.#end;
    this.#end = this.#position + length;
    return outerEnd;
  }

  leave(outerEnd: number): void {
    this.#end = outerEnd;
  }

  /** The next field's tag, field number times eight plus wire type; 0 at the end of the message. */
  tag(): number {
    if (this.#position === this.#end) return 0;
    const tag = this.count();
    if (tag < 8) throw new DecodeError("a field has the number 0");
    return tag;
  }

  /** A number from 0 to 2^53-1. */
  count(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 128) {
      const byte = this.#byte();
      value += (byte & 127) * factor;
      if (byte < 128) {
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
    }
    throw new DecodeError("a number is above 2^53-1");
  }

  /** A term or an index. */
  entryCount(): number {
    return checkedEntryCount(this.count());
  }

  flag(): boolean {
    return this.count() !== 0;
  }

  fixed64(): bigint {
    this.#require(8);
    for (let at = 0; at < 8; at += 1) eightBytes.setUint8(at, this.#bytes[this.#position + at] ?? 0);
    this.#position += 8;
    return eightBytes.getBigUint64(0, true);
  }

  /** A view, not a copy. */
  bytes(): Uint8Array {
    const length = this.#length();
    const start = this.#position;
    this.#position += length;
    return this.#bytes.subarray(start, this.#position);
  }

  /** Passes over a field that this version does not know. */
  skip(tag: number): void {
    switch (tag % 8) {
      case 0:
        this.#skipVarint();
        return;
      case 1:
        this.#advance(8);
        return;
      case 2:
        this.#advance(this.#length());
        return;
      case 5:
        this.#advance(4);
        return;
      default:
        throw new DecodeError(`a field has the wire type ${String(tag % 8)}`);
    }
  }

  #skipVarint(): void {
    for (let count = 0; count < 10; count += 1) {
      if (this.#byte() < 128) return;
    }
    throw new DecodeError("a number has more than ten bytes");
  }

  #length(): number {
    const length = this.count();
    this.#require(length);
    return length;
  }

  #advance(length: number): void {
    this.#require(length);
    this.#position += length;
  }

  #require(length: number): void {
    if (length > this.#end - this.#position)
      throw new DecodeError("a field is longer than the message it stands in");
  }

  #byte(): number {
    const byte = this.#position < this.#end ? this.#bytes[this.#position] : undefined;
    if (byte === undefined) throw new DecodeError("a message ends in the middle of a field");
    this.#position += 1;
    return byte;
  }
}
