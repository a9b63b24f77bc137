/**
 * Writes a message of protobuf from its end to its beginning. The length of a message within it is known
 * when it has to be written, so nothing is measured before or moved afterwards.
 *
 * Fields are written in falling order, and so stand in rising order, as protobuf-es has them.
 */
import { type LeaseId, noLease } from "@dkv/store";

/** Field number and wire type: 0 is a varint, 2 a length with that many bytes. */
const tag = (field: number, wireType: 0 | 2): number => (field << 3) | wireType;

const prefixBytes = 5;
/** Most bytes of a tag with a varint of 64 bits. */
const maxVarintField = 11;

export class BackwardWriter {
  #target: Buffer;
  /** What is written begins here. */
  #start: number;

  /** @param bytes that will probably do */
  constructor(bytes: number) {
    this.#target = Buffer.allocUnsafe(bytes);
    this.#start = bytes;
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#target.length - this.#start;
  }

  /** A number without a sign, up to 2^53. Proto3 leaves out fields that are 0. */
  count(field: number, value: number): void {
    if (value === 0) return;
    this.#varint(value);
    this.#target[--this.#start] = tag(field, 0);
  }

  bool(field: number, value: boolean): void {
    this.count(field, value ? 1 : 0);
  }

  lease(field: number, lease: LeaseId): void {
    if (lease === noLease) return;
    this.#reserve(maxVarintField);
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, lease);
    for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
    this.#start -= bytes.length;
    this.#target.set(bytes, this.#start);
    this.#target[--this.#start] = tag(field, 0);
  }

  /** Bytes or text; left out if there are none. */
  bytes(field: number, value: Uint8Array): void {
    if (value.length === 0) return;
    this.raw(value);
    this.#head(field, value.length);
  }

  /** What is a message, or fields of one, already. */
  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#start -= value.length;
    this.#target.set(value, this.#start);
  }

  /** Makes a field of all that was written since there were `length` bytes: a message in the message. */
  message(field: number, length: number): void {
    this.#head(field, this.length - length);
  }

  /** All that was written. */
  finish(): Buffer {
    return this.#target.subarray(this.#start);
  }

  /** The same as a frame of gRPC: behind a byte that says "not compressed", and the length in four bytes. */
  finishFrame(): Buffer {
    const { length } = this;
    this.#reserve(prefixBytes);
    this.#start -= prefixBytes;
    this.#target[this.#start] = 0;
    this.#target.writeUInt32BE(length, this.#start + 1);
    return this.finish();
  }

  #head(field: number, length: number): void {
    this.#varint(length);
    this.#target[--this.#start] = tag(field, 2);
  }

  /** Has room for a tag in front of it. */
  #varint(value: number): void {
    this.#reserve(maxVarintField);
    let bytes = 1;
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes += 1;
    this.#start -= bytes;
    let at = this.#start;
    let rest = value;
    // Bit operations see 32 bits only.
    for (; rest > 0x7fff_ffff; rest = Math.floor(rest / 0x80)) this.#target[at++] = (rest % 0x80) | 0x80;
    for (; rest > 0x7f; rest >>>= 7) this.#target[at++] = (rest & 0x7f) | 0x80;
    this.#target[at] = rest;
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#start) return;
    const { length } = this;
    const larger = Buffer.allocUnsafe(2 * length + bytes + maxVarintField);
    const start = larger.length - length;
    larger.set(this.finish(), start);
    this.#target = larger;
    this.#start = start;
  }
}
