import { assert } from "../assert.ts";
import { decodeHuffman } from "./huffman.ts";
import { type Header, staticTable } from "./static-table.ts";

/**
 * Reads a header block of a peer that was told to keep no dynamic table.
 *
 * Such a block means the same wherever it stands: it refers to nothing but the static table. Callers may
 * therefore remember what a block meant by its bytes. Throws on a block that refers to anything else.
 * Source: RFC 7541 §6.
 */
export function decodeHeaderBlock(block: Buffer): readonly Header[] {
  const headers: Header[] = [];
  const reader = new BlockReader(block);
  while (!reader.atEnd) {
    const first = reader.peek();
    if (first >= 0x80) {
      headers.push(staticField(reader.integer(7)));
    } else if (first >= 0x40) {
      // "With indexing" into a table of no bytes stores nothing. Source: RFC 7541 §4.4.
      headers.push(reader.literal(6));
    } else if (first >= 0x20) {
      assert(reader.integer(5) === 0, "the peer keeps no dynamic table");
    } else {
      headers.push(reader.literal(4));
    }
  }
  return headers;
}

function staticField(index: number): Header {
  const field = staticTable[index - 1];
  assert(field !== undefined, "a header field refers to the static table");
  return field;
}

class BlockReader {
  readonly #block: Buffer;
  #offset = 0;

  constructor(block: Buffer) {
    this.#block = block;
  }

  get atEnd(): boolean {
    return this.#offset >= this.#block.length;
  }

  peek(): number {
    const byte = this.#block[this.#offset];
    assert(byte !== undefined, "a header block ends after a whole field");
    return byte;
  }

  /** Source: RFC 7541 §5.1. */
  integer(prefixBits: number): number {
    const prefixMax = 2 ** prefixBits - 1;
    let value = this.#next() & prefixMax;
    if (value < prefixMax) return value;
    for (let scale = 1; ; scale *= 128) {
      assert(scale <= 128 ** 3, "a number in a header block is small");
      const byte = this.#next();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  literal(prefixBits: number): Header {
    const index = this.integer(prefixBits);
    const name = index === 0 ? this.#string() : staticField(index)[0];
    return [name, this.#string()];
  }

  #string(): string {
    const isHuffman = this.peek() >= 0x80;
    const length = this.integer(7);
    const end = this.#offset + length;
    assert(end <= this.#block.length, "a string ends within its header block");
    const bytes = this.#block.subarray(this.#offset, end);
    this.#offset = end;
    return (isHuffman ? decodeHuffman(bytes) : bytes).toString("latin1");
  }

  #next(): number {
    const byte = this.peek();
    this.#offset += 1;
    return byte;
  }
}
