/** What doors know of watches. */
import type { Change, Interval, KeyValue, Revision } from "@dkv/store";
import type { DkvError } from "../../platform/errors.ts";

/** What one watch wants to be told of. */
export interface WatchSpec {
  readonly interval: Interval;
  /**
   * The first revision whose changes are wanted; 0: those after now. It may be one to come: nothing is said
   * of earlier ones then, even if this member lags behind and applies them later.
   */
  readonly startRevision: Revision;
  /** Whether events have what their keys were before, as far as that was not given up. */
  readonly wantPrevious: boolean;
  readonly wantSets: boolean;
  readonly wantDeletes: boolean;
}

export interface WatchEvent {
  readonly change: Change;
  /** Undefined if it was not wanted, if there was none, or if it was given up. */
  readonly previous: KeyValue | undefined;
}

/** What a stream of watches says, in the order in which it is to reach the client. */
export type WatchMessage =
  /**
   * Of one revision or more, each of them as a whole, however big. Everything wanted up to `revision` has been
   * told then. Watches of the same keys that want the same mostly share one array: what is made of it may be
   * kept by its identity.
   */
  | {
      readonly kind: "events";
      readonly id: number;
      readonly revision: Revision;
      readonly events: readonly WatchEvent[];
    }
  /**
   * Everything up to `revision` has been told to all watches of the stream. A watch that is created while this is on
   * its way is not meant: tell the client of that watch afterwards.
   */
  | { readonly kind: "progress"; readonly revision: Revision }
  /**
   * What the watch would have to tell next was given up: it is over, and its id free. A watch from
   * `compactRevision` on tells everything that is left, deletes of that revision included.
   */
  | { readonly kind: "compacted"; readonly id: number; readonly compactRevision: Revision }
  /**
   * The watch is over, and its id free, for its user may not see any more what it tells. The member itself
   * does not know users: who shows it to one of them says so.
   */
  | { readonly kind: "forbidden"; readonly id: number; readonly error: DkvError };

/**
 * The watches of one client, whose messages come in one sequence. A client that reads slowly costs a bounded
 * amount of memory: its watches read from history what they could not be told at once.
 */
export interface WatchStream {
  /**
   * Begins a watch. No event of it is told before this returns. Throws a DkvError if the member takes no
   * more of them, or has ended the stream.
   *
   * @param id that no other watch of this stream has
   * @returns the revision up to which there is nothing to tell: one before the first that is wanted
   */
  create(id: number, spec: WatchSpec): Revision;
  /** {@link next} says nothing of it from now on. Does nothing if there is no such watch. */
  cancel(id: number): void;
  /**
   * Asks for a message `progress`. It comes once nothing up to the current revision is left to tell, and the
   * first revision of every watch is there; one message answers all who have asked by then.
   */
  requestProgress(): void;
  /**
   * Up to and with this revision, everything the watch wants has been handed out by {@link next}. Never goes
   * back. Undefined if there is no such watch, or if its first revision is one to come. Looks through all
   * that is queued.
   */
  toldThrough(id: number): Revision | undefined;
  /**
   * What there is to say, not empty; waits until there is something. Undefined once the stream is closed.
   * Rejects with a DkvError when the member stops, its state cannot be trusted, or it has had no leader for
   * some time: the stream is over, and what was not handed out is told by another member. One call at a
   * time.
   */
  next(): Promise<readonly WatchMessage[] | undefined>;
  /** Ends all its watches, and a call of {@link next} that waits. May be called more than once. */
  close(): void;
}

export interface Watches {
  /**
   * Throws a DkvError when the member takes none: it stops, its state is corrupt, it has had no leader for
   * some time, or there are too many.
   */
  open(): WatchStream;
}
