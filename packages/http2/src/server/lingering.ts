import type { ReceiveWindow } from "./flow-control.ts";

/** Requests that are let come at once, and how much of one, for good manners. */
const maxRequests = 256;
const maxBytes = 8 * 1024 * 1024;

interface Rest {
  readonly window: ReceiveWindow;
  bytes: number;
}

/**
 * Requests that were answered before they had come whole. The rest is let come and dropped, for many a
 * client takes a reset for a failure and loses the answer that it has. Source: RFC 9113 §8.1.
 */
export class Lingering {
  readonly #rests = new Map<number, Rest>();
  /** The client is to send no more of this one. */
  readonly #stop: (id: number) => void;

  constructor(stop: (id: number) => void) {
    this.#stop = stop;
  }

  has(id: number): boolean {
    return this.#rests.has(id);
  }

  add(id: number, window: ReceiveWindow): void {
    this.#rests.set(id, { window, bytes: 0 });
    const [oldest] = this.#rests.keys();
    if (this.#rests.size > maxRequests && oldest !== undefined) this.#giveUp(oldest);
  }

  /** The rest has come, or will not. */
  delete(id: number): boolean {
    return this.#rests.delete(id);
  }

  /** Drops a part. Returns by how much to open the stream's window. */
  drop(id: number, bytes: number): number {
    const rest = this.#rests.get(id);
    if (rest === undefined) return 0;
    rest.bytes += bytes;
    if (rest.bytes <= maxBytes && rest.window.take(bytes)) return rest.window.release(bytes);
    this.#giveUp(id);
    return 0;
  }

  #giveUp(id: number): void {
    this.#rests.delete(id);
    this.#stop(id);
  }
}
