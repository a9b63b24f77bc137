import { createHash, type Hash } from "node:crypto";
import { DamagedSnapshotError } from "../damage.ts";

/** Bytes that come in pieces of any size, read in pieces of the sizes that are wanted, and hashed. */
export class ByteSource {
  readonly #pieces: AsyncIterator<Uint8Array>;
  readonly #hash: Hash = createHash("sha256");
  #rest: Uint8Array = new Uint8Array();
  #read = 0;

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** Bytes that were read. */
  get bytes(): number {
    return this.#read;
  }

  /** SHA-256 of everything read so far. */
  digest(): Buffer {
    return this.#hash.copy().digest();
  }

  /**
   * The next bytes, in memory of their own. What has not come takes none. Throws {@link DamagedSnapshotError}
   * if there are not so many.
   */
  async read(length: number): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    for (let missing = length; missing > 0; ) {
      if (this.#rest.length === 0 && !(await this.#more()))
        throw new DamagedSnapshotError("the backup ends in the middle: it was cut short");
      const part = this.#rest.subarray(0, missing);
      this.#rest = this.#rest.subarray(part.length);
      missing -= part.length;
      parts.push(part);
    }
    const bytes = Buffer.concat(parts);
    this.#hash.update(bytes);
    this.#read += length;
    return bytes;
  }

  async isAtEnd(): Promise<boolean> {
    return this.#rest.length === 0 && !(await this.#more());
  }

  /** Nothing more will be read. */
  async close(): Promise<void> {
    await this.#pieces.return?.();
  }

  async #more(): Promise<boolean> {
    for (;;) {
      const next = await this.#pieces.next();
      if (next.done === true) return false;
      this.#rest = next.value;
      if (next.value.length > 0) return true;
    }
  }
}
