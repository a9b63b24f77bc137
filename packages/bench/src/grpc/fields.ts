/**
 * Walks the fields of a protobuf message where they lie, without making objects of them: answers come in
 * numbers of which a decoder would take most of what the load generator does.
 */
import { assert } from "../assert.ts";

/** Stands at a field once {@link next} has said that there is one. Can be used again for another message. */
export class Fields {
  field = 0;
  /** Of a varint; exact up to 2^53. Of other fields 0. */
  number = 0;
  /** Of a length-delimited field: where its bytes are. */
  start = 0;
  end = 0;
  #source: Buffer = Buffer.alloc(0);
  #at = 0;
  #last = 0;

  open(source: Buffer, start: number, end: number): this {
    this.#source = source;
    this.#at = start;
    this.#last = end;
    return this;
  }

  /** False behind the last field. */
  next(): boolean {
    if (this.#at >= this.#last) return false;
    const tag = this.#varint();
    this.field = Math.floor(tag / 8);
    this.number = 0;
    const wireType = tag % 8;
    if (wireType === 0) {
      this.number = this.#varint();
    } else if (wireType === 2) {
      const length = this.#varint();
      this.start = this.#at;
      this.end = this.#at + length;
      this.#at = this.end;
    } else {
      assert(wireType === 1 || wireType === 5, "a field has a known wire type");
      this.#at += wireType === 1 ? 8 : 4;
    }
    assert(this.#at <= this.#last, "a field ends within its message");
    return true;
  }

  #varint(): number {
    let number = 0;
    let unit = 1;
    for (;;) {
      assert(this.#at < this.#last, "a number ends within its message");
      const byte = this.#source[this.#at++] ?? 0;
      number += (byte & 0x7f) * unit;
      if (byte < 0x80) return number;
      unit *= 0x80;
    }
  }
}
