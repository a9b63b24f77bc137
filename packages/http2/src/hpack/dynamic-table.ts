import { entryBytes, type Header } from "./static-table.ts";

/** Entries that were dropped from the front before the rest is moved up. */
const slack = 64;

/** The fields that a peer's encoder had us remember; the newest has index 1. Source: RFC 7541 §2.3.2 and §4. */
export class DynamicTable {
  /** Oldest first; those before `#first` are gone. */
  #entries: Header[] = [];
  #first = 0;
  #bytes = 0;
  #maxBytes: number;
  #generation = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Differs whenever an index may mean something else than before. */
  get generation(): number {
    return this.#generation;
  }

  at(index: number): Header | undefined {
    const position = this.#entries.length - index;
    return position < this.#first ? undefined : this.#entries[position];
  }

  /** A field larger than the table empties it and is not kept. Source: RFC 7541 §4.4. */
  insert(header: Header): void {
    const bytes = entryBytes(header);
    this.#evictTo(this.#maxBytes - bytes);
    this.#generation += 1;
    if (bytes > this.#maxBytes) return;
    this.#entries.push(header);
    this.#bytes += bytes;
  }

  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#evictTo(maxBytes);
    this.#generation += 1;
  }

  #evictTo(bytes: number): void {
    while (this.#bytes > Math.max(bytes, 0)) {
      const oldest = this.#entries[this.#first];
      if (oldest === undefined) break;
      this.#bytes -= entryBytes(oldest);
      this.#first += 1;
    }
    if (this.#first < slack) return;
    this.#entries = this.#entries.slice(this.#first);
    this.#first = 0;
  }
}
