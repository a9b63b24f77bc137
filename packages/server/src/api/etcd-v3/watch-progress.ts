/**
 * Tells how far watches have come: when the client asks for it, of all at once; and now and then those that
 * want it and were told nothing else.
 *
 * A stream answers a wish for progress once all its watches are there. One that was created meanwhile is not
 * meant by the answer, so the wish is then made anew.
 */
import type { Revision } from "@dkv/store";
import type { WatchStream } from "../../consensus/member.ts";
import type { Cancel, Clock } from "../../platform/clock.ts";
import { noWatchId } from "./encoding/watch-frames.ts";

/** A watch that wants to be told of its progress. */
export interface Progressing {
  readonly id: bigint;
  /** Whether it was told something since it was looked at last. */
  wasTold: boolean;
}

export interface ProgressDeps {
  readonly clock: Clock;
  readonly intervalMs: number;
  /** Those of the stream that want to be told. */
  readonly watches: () => Iterable<Progressing>;
}

/** So much longer than the interval a stream may wait: clients that have come together are not told together. */
const jitter = 0.1;

export class WatchProgress {
  readonly #stream: WatchStream;
  readonly #deps: ProgressDeps;
  readonly #cancel: Cancel;
  #created = 0;
  /** Watches that there had been when the stream was asked first; undefined if it was not since it answered. */
  #askedAfter: number | undefined;
  #isWanted = false;
  #due: readonly Progressing[] = [];

  constructor(stream: WatchStream, deps: ProgressDeps) {
    this.#stream = stream;
    this.#deps = deps;
    const spreadMs = Math.max(1, Math.floor(deps.intervalMs * jitter));
    const intervalMs = deps.intervalMs + (Math.floor(deps.clock.nowMs()) % spreadMs);
    this.#cancel = deps.clock.every(intervalMs, () => {
      this.#look();
    });
  }

  stop(): void {
    this.#cancel();
  }

  /** A watch is about to be created. */
  created(): void {
    this.#created += 1;
  }

  /** The client asks. */
  request(): void {
    this.#isWanted = true;
    this.#ask();
  }

  /**
   * The stream has come so far. Returns the numbers of watches of which the client is to be told; -1 for
   * all, and none if there was a watch in between.
   *
   * @param isThere whether a watch has not been cancelled meanwhile
   */
  reached(revision: Revision, isThere: (watch: Progressing) => boolean): readonly ProgressAnswer[] {
    const isMeant = this.#askedAfter === this.#created;
    this.#askedAfter = undefined;
    if (!this.#isWanted && this.#due.length === 0) return [];
    if (!isMeant) {
      this.#ask();
      return [];
    }
    const due = this.#due.filter(isThere).map(({ id }) => ({ watchId: id, revision }));
    this.#due = [];
    if (!this.#isWanted) return due;
    this.#isWanted = false;
    return [...due, { watchId: noWatchId, revision }];
  }

  #look(): void {
    const watches = [...this.#deps.watches()];
    this.#due = watches.filter(({ wasTold }) => !wasTold);
    for (const watch of watches) watch.wasTold = false;
    if (this.#due.length > 0) this.#ask();
  }

  #ask(): void {
    this.#askedAfter ??= this.#created;
    this.#stream.requestProgress();
  }
}

export interface ProgressAnswer {
  readonly watchId: bigint;
  readonly revision: Revision;
}
