import { largestWindowBytes } from "../frames.ts";

/** What may be sent before the peer says more. Below 0 after the peer made it smaller. Source: RFC 9113 §6.9. */
export class SendWindow {
  #bytes: number;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  take(bytes: number): void {
    this.#bytes -= bytes;
  }

  /** Returns false, which is the peer's fault, if the window would be larger than any may be. */
  grow(bytes: number): boolean {
    this.#bytes += bytes;
    return this.#bytes <= largestWindowBytes;
  }
}

/** What the peer may still send, and what of it has been used up here and not been announced again. */
export class ReceiveWindow {
  readonly #sizeBytes: number;
  #openBytes: number;
  #usedBytes = 0;

  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes;
    this.#openBytes = sizeBytes;
  }

  /** Returns false, which is the peer's fault, if it sent more than it may. */
  take(bytes: number): boolean {
    this.#openBytes -= bytes;
    return this.#openBytes >= 0;
  }

  /** Returns by how much to open the window now: 0 until it is worth a frame. */
  release(bytes: number): number {
    this.#usedBytes += bytes;
    if (this.#usedBytes < this.#sizeBytes / 2) return 0;
    const increment = this.#usedBytes;
    this.#usedBytes = 0;
    this.#openBytes += increment;
    return increment;
  }
}
