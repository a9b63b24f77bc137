/**
 * Tells how far watches have come: when the client asks for it, of all at once; and now and then each that
 * wants it and was told nothing else.
 *
 * A stream answers a wish for progress once all its watches are there. One that was created meanwhile is not
 * meant by the answer, so the wish is then made anew.
 */
import type { Revision } from "@dkv/store";
import type { WatchStream } from "../../consensus/member.ts";
import type { Cancel, Clock } from "../../platform/clock.ts";

/** A watch that wants to be told of its progress. */
export interface Progressing {
  /** As the stream knows it. */
  readonly number: number;
  /** Whether it was told something since it was looked at last. */
  wasTold: boolean;
}

export interface ProgressDeps<Watch extends Progressing> {
  readonly clock: Pick<Clock, "every" | "nowMs">;
  readonly intervalMs: number;
  /** Those of the stream that want to be told; none while what the stream has handed out was not sent. */
  readonly watches: () => Iterable<Watch>;
  readonly tell: (watch: Watch, through: Revision) => void;
}

/** So much longer than the interval a stream may wait: clients that have come together are not told together. */
const jitter = 0.1;

type ProgressingStream = Pick<WatchStream, "requestProgress" | "toldThrough">;

export class WatchProgress<Watch extends Progressing> {
  readonly #stream: ProgressingStream;
  readonly #deps: ProgressDeps<Watch>;
  readonly #cancel: Cancel;
  #created = 0;
  /** Watches that there had been when the client asked; undefined if it has not since it was told. */
  #askedAfter: number | undefined;

  constructor(stream: ProgressingStream, deps: ProgressDeps<Watch>) {
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
    this.#askedAfter ??= this.#created;
    this.#stream.requestProgress();
  }

  /** The stream has said how far it is. Returns whether that is what the client has asked for. */
  isAnswered(): boolean {
    const askedAfter = this.#askedAfter;
    if (askedAfter === undefined) return false;
    this.#askedAfter = undefined;
    if (askedAfter === this.#created) return true;
    this.request();
    return false;
  }

  /** Each by itself: one that begins later, or has much to catch up with, does not keep the others waiting. */
  #look(): void {
    for (const watch of this.#deps.watches()) {
      const { wasTold } = watch;
      watch.wasTold = false;
      const through = wasTold ? undefined : this.#stream.toldThrough(watch.number);
      if (through !== undefined) this.#deps.tell(watch, through);
    }
  }
}
