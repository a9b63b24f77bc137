import { initialSettings } from "../frames.ts";
import { entryBytes, type Header, staticTable } from "./static-table.ts";

/**
 * Writes header blocks for one connection, as gRPC clients do: each field is sent in full once and by its
 * index from then on.
 *
 * Never evicts: a field that no longer fits is sent in full each time. Lists of headers are known by
 * identity, so a list that is used again costs one look-up.
 */
export class HeaderEncoder {
  readonly #entries: Header[] = [];
  readonly #settled = new Map<readonly Header[], { readonly block: Buffer; readonly insertions: number }>();
  #freeBytes: number = initialSettings.headerTableBytes;
  #mustAnnounceNoTable = false;

  /** The peer offers a smaller table than the usual one: from now on no table is used at all. */
  forgoTable(): void {
    this.#entries.length = 0;
    this.#settled.clear();
    this.#freeBytes = 0;
    this.#mustAnnounceNoTable = true;
  }

  /** The block for `headers`. Blocks must be sent in the order in which they are asked for. */
  encode(headers: readonly Header[]): Buffer {
    const known = this.#settled.get(headers);
    if (known?.insertions === this.#entries.length) return known.block;
    const insertionsBefore = this.#entries.length;
    const parts = headers.map((header) => this.#field(header));
    if (this.#mustAnnounceNoTable) parts.unshift(Buffer.from([noTableAnnouncement]));
    const block = Buffer.concat(parts);
    // A block that made entries or announced something is good once only.
    if (this.#entries.length === insertionsBefore && !this.#mustAnnounceNoTable) {
      this.#settled.set(headers, { block, insertions: insertionsBefore });
    }
    this.#mustAnnounceNoTable = false;
    return block;
  }

  #field(header: Header): Buffer {
    const [name, value] = header;
    const isSame = (other: Header): boolean => other[0] === name && other[1] === value;
    const staticIndex = staticTable.findIndex(isSame) + 1;
    if (staticIndex > 0) return integer(0x80, 7, staticIndex);
    const made = this.#entries.findIndex(isSame);
    // The newest entry has the lowest index. Source: RFC 7541 §2.3.3.
    if (made >= 0) return integer(0x80, 7, staticTable.length + this.#entries.length - made);

    const isKept = this.#keep(header);
    return literal(header, isKept ? { pattern: 0x40, prefixBits: 6 } : plainLiteral);
  }

  #keep(header: Header): boolean {
    const bytes = entryBytes(header);
    if (bytes > this.#freeBytes) return false;
    this.#freeBytes -= bytes;
    this.#entries.push(header);
    return true;
  }
}

/** In front of the name's index: "without indexing", in four bits. Source: RFC 7541 §6.2.2. */
const plainLiteral = { pattern: 0x00, prefixBits: 4 };

/** Says that no table will be used, to a peer that made its own smaller. Source: RFC 7541 §4.2. */
export const noTableAnnouncement: number = 0x20;

/** A block that uses no table, and so is good any number of times, at any place and for any peer. */
export function encodeHeaderBlock(headers: readonly Header[]): Buffer {
  return Buffer.concat(
    headers.map((header) => {
      const [name, value] = header;
      const index = staticTable.findIndex((other) => other[0] === name && other[1] === value) + 1;
      return index > 0 ? integer(0x80, 7, index) : literal(header, plainLiteral);
    }),
  );
}

function literal([name, value]: Header, { pattern, prefixBits }: typeof plainLiteral): Buffer {
  const nameIndex = staticTable.findIndex(([other]) => other === name) + 1;
  const head = integer(pattern, prefixBits, nameIndex);
  return Buffer.concat(nameIndex > 0 ? [head, text(value)] : [head, text(name), text(value)]);
}

/** Source: RFC 7541 §5.1. `pattern` holds the bits in front of the prefix. */
function integer(pattern: number, prefixBits: number, value: number): Buffer {
  const prefixMax = 2 ** prefixBits - 1;
  if (value < prefixMax) return Buffer.from([pattern | value]);
  const bytes = [pattern | prefixMax];
  let rest = value - prefixMax;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "latin1");
  return Buffer.concat([integer(0x00, 7, bytes.length), bytes]);
}
