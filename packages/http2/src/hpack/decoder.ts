import { ConnectionError } from "../connection-error.ts";
import { errorCode } from "../frames.ts";
import { DynamicTable } from "./dynamic-table.ts";
import { decodeHuffman } from "./huffman.ts";
import { entryBytes, type Header, staticTable } from "./static-table.ts";

export interface DecoderLimits {
  /** Largest dynamic table that the peer was offered. */
  readonly tableBytes: number;
  /** Most bytes of the fields of one block, each with an overhead of 32. */
  readonly listBytes: number;
}

export interface DecodedBlock {
  readonly headers: readonly Header[];
  /** The block passed the limit, and `headers` is only its beginning. The decoder stays good. */
  readonly isTooLarge: boolean;
  /** It left the table alone: the same bytes mean the same until another block changes it. */
  readonly isRepeatable: boolean;
}

/**
 * Reads the header blocks of one peer, in the order in which they came. Source: RFC 7541 §6.
 *
 * Throws a ConnectionError on a block that means nothing: what follows on the connection is then lost too.
 */
export class HeaderDecoder {
  readonly #limits: DecoderLimits;
  readonly #table: DynamicTable;

  constructor(limits: DecoderLimits) {
    this.#limits = limits;
    this.#table = new DynamicTable(limits.tableBytes);
  }

  /** Differs whenever a block may mean something else than before. */
  get generation(): number {
    return this.#table.generation;
  }

  decode(block: Buffer): DecodedBlock {
    const headers: Header[] = [];
    const reader = new BlockReader(block);
    let listBytes = 0;
    const generation = this.#table.generation;
    let mayResize = true;
    while (!reader.atEnd) {
      const first = reader.peek();
      if (first >= 0x20 && first < 0x40) {
        mustHold(mayResize, "a table is resized only at the beginning of a block");
        this.#resize(reader.integer(5));
        continue;
      }
      mayResize = false;
      const header = this.#field(reader, first);
      listBytes += entryBytes(header);
      if (listBytes <= this.#limits.listBytes) headers.push(header);
    }
    return {
      headers,
      isTooLarge: listBytes > this.#limits.listBytes,
      isRepeatable: generation === this.#table.generation,
    };
  }

  #field(reader: BlockReader, first: number): Header {
    if (first >= 0x80) return this.#entry(reader.integer(7));
    if (first < 0x40) return this.#literal(reader, 4);
    const header = this.#literal(reader, 6);
    this.#table.insert(header);
    return header;
  }

  #literal(reader: BlockReader, prefixBits: number): Header {
    const index = reader.integer(prefixBits);
    const name = index === 0 ? reader.string() : this.#entry(index)[0];
    return [name, reader.string()];
  }

  #entry(index: number): Header {
    const field =
      index <= staticTable.length ? staticTable[index - 1] : this.#table.at(index - staticTable.length);
    mustHold(field !== undefined, "a header field refers to an entry of a table");
    return field;
  }

  #resize(bytes: number): void {
    mustHold(bytes <= this.#limits.tableBytes, "a table is not larger than was offered");
    this.#table.resize(bytes);
  }
}

/**
 * Reads a header block of a peer that was told to keep no dynamic table.
 *
 * Such a block means the same wherever it stands: it refers to nothing but the static table. Callers may
 * therefore remember what a block meant by its bytes. Throws on a block that refers to anything else.
 */
export function decodeHeaderBlock(block: Buffer): readonly Header[] {
  return new HeaderDecoder({ tableBytes: 0, listBytes: Number.POSITIVE_INFINITY }).decode(block).headers;
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
    mustHold(byte !== undefined, "a header block ends after a whole field");
    return byte;
  }

  /** Source: RFC 7541 §5.1. */
  integer(prefixBits: number): number {
    const prefixMax = 2 ** prefixBits - 1;
    let value = this.#next() & prefixMax;
    if (value < prefixMax) return value;
    for (let scale = 1; ; scale *= 128) {
      mustHold(scale <= 128 ** 3, "a number in a header block is small");
      const byte = this.#next();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  string(): string {
    const isHuffman = this.peek() >= 0x80;
    const length = this.integer(7);
    const end = this.#offset + length;
    mustHold(end <= this.#block.length, "a string ends within its header block");
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

function mustHold(fact: boolean, message: string): asserts fact {
  if (!fact) throw new ConnectionError(errorCode.compression, message);
}
