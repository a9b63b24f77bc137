import { assert } from "../assert.ts";

const prefixBytes = 5;
const nothing = Buffer.alloc(0);

/** Takes gRPC messages out of the bytes of a stream, wherever those are cut. */
export class MessageReader {
  readonly #onMessage: (source: Buffer, start: number, end: number) => void;
  /** The beginning of a message whose end is to come. */
  #rest: Buffer = nothing;

  /** @param onMessage is given each message as a buffer and two offsets, good only until it returns */
  constructor(onMessage: (source: Buffer, start: number, end: number) => void) {
    this.#onMessage = onMessage;
  }

  accept(source: Buffer, start: number, end: number): void {
    if (this.#rest.length === 0) {
      this.#read(source, start, end);
      return;
    }
    const joined = Buffer.concat([this.#rest, source.subarray(start, end)]);
    this.#read(joined, 0, joined.length);
  }

  /** Whether what has come so far are whole messages. */
  get isBetweenMessages(): boolean {
    return this.#rest.length === 0;
  }

  #read(source: Buffer, start: number, end: number): void {
    let at = start;
    while (end - at >= prefixBytes) {
      assert(source[at] === 0, "a message is not compressed");
      const next = at + prefixBytes + source.readUInt32BE(at + 1);
      if (next > end) break;
      this.#onMessage(source, at + prefixBytes, next);
      at = next;
    }
    this.#rest = at === end ? nothing : Buffer.from(source.subarray(at, end));
  }
}
