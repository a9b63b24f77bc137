import { abortable } from "./abortable.ts";
import { checkCount, checkKeys } from "./checks.ts";
import { DkvClientError } from "./errors.ts";
import type { Keys, WatchBatch, WatchEvent, WatchRequest } from "./keys.ts";
import type { WatchOptions } from "./options.ts";
import { jittered, sleep } from "./platform/time.ts";
import type { Requests } from "./requests.ts";
import { backoffMs } from "./retry.ts";
import type { OpenStream } from "./stream.ts";

/** So that the place to go on from is near even where nothing happens, and not compacted when it is needed. */
const progressSeconds = 30;

/**
 * Every change of some keys, from a revision on: all of them, in order, once, whatever happens to members and
 * connections. Begins when it is first read, or with `open`, and ends when the loop over it is left.
 *
 * Reading throws DkvClientError: `compacted`, with the `compactRevision`, if changes were given up before
 * they could be told; `canceled` and `closed`; what no member can do; and, only at the beginning, that no
 * member answers.
 */
export class Watch implements AsyncIterable<WatchEvent> {
  readonly #requests: Requests;
  readonly #request: WatchRequest;
  readonly #options: WatchOptions;
  readonly #stop: AbortSignal;
  #stream: OpenStream<WatchBatch> | undefined;
  /** Every change up to and with this revision has been read; undefined before the beginning. */
  #position: number | undefined;
  /** Of attempts since a member last told something. */
  #round = 0;

  /** @throws DkvClientError `invalid_request` */
  constructor(requests: Requests, keys: Keys, options: WatchOptions) {
    const { startRevision, previous = false, exclude = [], signal } = options;
    this.#requests = requests;
    this.#options = options;
    this.#request = {
      keys: checkKeys(keys),
      startRevision: checkCount("revision", startRevision),
      returnPrevious: previous,
      exclude,
      progressSeconds,
    };
    this.#stop = AbortSignal.any(signal === undefined ? [requests.closed] : [requests.closed, signal]);
  }

  /**
   * Begins, unless it has begun. From then on nothing is missed: resolves to the first revision whose changes
   * are told, or would be. @throws DkvClientError
   */
  async open(): Promise<number> {
    if (this.#stream === undefined) this.#stream = await this.#connect();
    return (this.#position ?? 0) + 1;
  }

  /** To go on in another watch: every change before this revision has been read. Undefined before `open`. */
  get nextRevision(): number | undefined {
    return this.#position === undefined ? undefined : this.#position + 1;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<WatchEvent> {
    for await (const { events } of this.batches()) yield* events;
  }

  /** The same, with all changes of one revision together, and without events when only a revision is told. */
  async *batches(): AsyncGenerator<WatchBatch> {
    try {
      for await (const batch of this.#messages()) {
        yield batch;
        this.#position = Math.max(this.#position ?? 0, batch.revision);
      }
    } finally {
      this.#stream?.end();
      this.#stream = undefined;
    }
  }

  async *#messages(): AsyncGenerator<WatchBatch> {
    for (;;) {
      await this.open();
      try {
        const first = this.#stream?.first;
        if (first !== undefined && first.events.length > 0) yield first;
        for (let batch = await this.#next(); batch !== undefined; batch = await this.#next()) {
          this.#round = 0;
          yield batch;
        }
        throw new DkvClientError(
          { code: "connection_lost", retry: "notApplied" },
          "a member has ended the watch without a reason",
        );
      } catch (error) {
        await this.#recover(error);
      }
    }
  }

  /** @throws DkvClientError */
  async #next(): Promise<WatchBatch | undefined> {
    return this.#stream === undefined ? undefined : abortable(this.#stream.next(), this.#stop);
  }

  /** Tries until a member takes up the watch where it broke off. @throws DkvClientError if none ever could */
  async #recover(error: unknown): Promise<void> {
    this.#stream?.end();
    this.#stream = undefined;
    for (let reason = error; this.#stream === undefined; ) {
      this.#throwIfStopped();
      if (!(reason instanceof DkvClientError) || reason.retry === "never") throw reason;
      this.#options.onReconnect?.(reason);
      await sleep(jittered(backoffMs(this.#round)), this.#stop).catch(() => {
        this.#throwIfStopped();
      });
      this.#round += 1;
      try {
        this.#stream = await this.#connect();
      } catch (failure) {
        reason = failure;
      }
    }
  }

  /** @throws DkvClientError */
  async #connect(): Promise<OpenStream<WatchBatch>> {
    const { signal, timeoutMs } = this.#options;
    const startRevision = this.#position === undefined ? this.#request.startRevision : this.#position + 1;
    const request = { ...this.#request, startRevision };
    const stream = await this.#requests.perform(
      { name: "watch", effect: "none", call: async (calls, limits) => calls.watch(request, limits) },
      { signal, timeoutMs },
    );
    this.#position = startRevision > 0 ? startRevision - 1 : (stream.first?.revision ?? 0);
    return stream;
  }

  #throwIfStopped(): void {
    if (!this.#stop.aborted) return;
    if (this.#requests.closed.aborted)
      throw new DkvClientError({ code: "closed", retry: "notApplied" }, "the client was closed during watch");
    throw new DkvClientError({ code: "canceled", retry: "notApplied" }, "watch was cancelled", {
      cause: this.#stop.reason,
    });
  }
}
