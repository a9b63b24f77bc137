/** One direction of a connection: what one socket says is passed on to the other, late or not at all. */
import type { Socket } from "node:net";
import { after, nowMs } from "../platform/time.ts";

/** Bytes that wait here before the source is read no more. */
const mostBytes = 2 ** 20;

type Item =
  | { readonly kind: "bytes"; readonly bytes: Buffer; readonly dueMs: number }
  /** The source has closed its side, in order or not. */
  | { readonly kind: "end" | "abort"; readonly dueMs: number };

/** How a pipe treats what it is given. */
export interface Treatment {
  /** Nothing passes. */
  readonly isBlocked: boolean;
  /** How late the next bytes are; drawn for each chunk. */
  delayMs(): number;
}

export interface PipeOptions {
  readonly source: Socket;
  readonly sink: Socket;
  readonly treatment: () => Treatment;
  /** How many of these bytes may pass; when it is fewer than asked for, the connection ends after them. */
  readonly allow: (bytes: number) => number;
  /** Called when the connection was cut. */
  readonly onCut: () => void;
}

export class Pipe {
  readonly #options: PipeOptions;
  readonly #queue: Item[] = [];
  #queuedBytes = 0;
  #isSilent = false;
  #isFull = false;
  #latestMs = 0;
  #cancelTimer: (() => void) | undefined;

  constructor(options: PipeOptions) {
    this.#options = options;
    const { source, sink } = options;
    source.on("data", (bytes: Buffer) => this.#take({ kind: "bytes", bytes, dueMs: this.#due() }));
    source.once("end", () => this.#take({ kind: "end", dueMs: this.#due() }));
    // An error is told by the close that follows it.
    source.on("error", () => undefined);
    source.once("close", () => this.#take({ kind: "abort", dueMs: this.#due() }));
    sink.on("drain", () => {
      this.#isFull = false;
      this.pump();
    });
    sink.once("close", () => this.close());
    source.resume();
  }

  /** From now on everything vanishes. */
  silence(): void {
    this.#isSilent = true;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    const { source } = this.#options;
    source.once("end", () => source.destroy());
    source.resume();
  }

  /** Passes on what may pass now. To be called when the treatment has changed. */
  pump(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    for (let item = this.#queue[0]; item !== undefined; item = this.#queue[0]) {
      if (this.#isFull || this.#options.treatment().isBlocked) return;
      const waitMs = item.dueMs - nowMs();
      if (waitMs > 0) {
        this.#cancelTimer = after(waitMs, () => this.pump());
        return;
      }
      this.#queue.shift();
      this.#pass(item);
    }
  }

  /** Forgets what waits. */
  close(): void {
    this.#cancelTimer?.();
    this.#queue.length = 0;
    this.#isSilent = true;
  }

  #due(): number {
    // Nothing overtakes what was said before it.
    this.#latestMs = Math.max(this.#latestMs, nowMs() + this.#options.treatment().delayMs());
    return this.#latestMs;
  }

  #take(item: Item): void {
    if (this.#isSilent) return;
    this.#queue.push(item);
    if (item.kind === "bytes") this.#queuedBytes += item.bytes.length;
    if (this.#queuedBytes > mostBytes) this.#options.source.pause();
    this.pump();
  }

  #pass(item: Item): void {
    const { source, sink } = this.#options;
    switch (item.kind) {
      case "bytes": {
        this.#queuedBytes -= item.bytes.length;
        if (this.#queuedBytes <= mostBytes) source.resume();
        const allowed = this.#options.allow(item.bytes.length);
        this.#isFull = !sink.write(item.bytes.subarray(0, allowed));
        if (allowed < item.bytes.length) this.#options.onCut();
        return;
      }
      case "end":
        sink.end();
        return;
      case "abort":
        if (source.readableEnded) sink.end();
        else sink.resetAndDestroy();
    }
  }
}
