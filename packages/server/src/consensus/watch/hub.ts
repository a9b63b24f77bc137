/**
 * All watches of a member. Those who have been told everything follow: what is applied is told to them at
 * once, whoever leads. All others catch up from the history, and then follow.
 *
 *   applied ─▶ index ─▶ queue of each stream ─▶ next()
 *                         ▲        │ full: its watches keep their place in the history, and come back
 *   history ─▶ catch-up ──┘◀───────┘
 *
 * Invariants: a watch is told of whole revisions, in order, each once; a revision that was given up in part
 * is not told; the revision of a message of progress is behind all that was queued before it.
 */
import type { SoftState } from "@dkv/raft";
import type { Applied, Change, Revision, Store } from "@dkv/store";
import { assert } from "../../platform/assert.ts";
import type { Clock } from "../../platform/clock.ts";
import { DkvError } from "../../platform/errors.ts";
import { CatchUp } from "./catch-up.ts";
import { Leaderless } from "./leaderless.ts";
import { PreviousValues } from "./previous-values.ts";
import type { Room } from "./queue.ts";
import { Stream, type StreamHost } from "./stream.ts";
import { Stretch } from "./stretch.ts";
import type { Watches } from "./watch.ts";
import { WatchIndex } from "./watch-index.ts";
import type { Batch, Watcher } from "./watcher.ts";

export interface WatchLimits {
  readonly streams: number;
  readonly watches: number;
  /** Queued for one stream. A revision that is bigger is queued as a whole. */
  readonly streamBytes: number;
  /** Queued for all streams. Each may have one message nevertheless. */
  readonly queuedBytes: number;
  /** History that is read at a time. */
  readonly historyBytes: number;
}

export interface WatchHubDeps {
  readonly store: Pick<Store, "revision" | "compaction" | "history" | "previous">;
  readonly clock: Pick<Clock, "soon" | "after">;
  readonly electionTimeoutMs: number;
  /** Why what is here must not be read; undefined if it may be. */
  readonly refusal: () => DkvError | undefined;
  /** Ends the process: what else the disk has lost is not known. */
  readonly fatal: (error: unknown) => void;
}

export class WatchHub implements Watches, StreamHost {
  readonly previous: PreviousValues;
  readonly room: Room;
  readonly #deps: WatchHubDeps;
  readonly #limits: WatchLimits;
  readonly #index = new WatchIndex();
  readonly #catchUp: CatchUp;
  readonly #leaderless: Leaderless;
  readonly #streams = new Set<Stream>();
  /** Of streams that wait for a revision with what they have to say. */
  readonly #awaited = new Map<Stream, Revision>();
  readonly #deliver = (watcher: Watcher, batch: Batch): void => {
    this.#tell(watcher, batch);
  };
  /** Streams that are served once all that happens at this moment has happened. */
  #woken: Stream[] = [];
  #watches = 0;
  /** Up to where those who follow were told. */
  #revision: Revision;
  #stopped: DkvError | undefined;

  constructor(limits: WatchLimits, deps: WatchHubDeps) {
    this.#limits = limits;
    this.#deps = deps;
    this.#revision = deps.store.revision;
    this.previous = new PreviousValues(deps.store);
    this.room = { taken: 0, all: limits.queuedBytes, ofStream: limits.streamBytes };
    this.#leaderless = new Leaderless(deps, () => {
      this.#check();
    });
    this.#catchUp = new CatchUp({
      ...deps,
      stretchBytes: limits.historyBytes,
      deliver: this.#deliver,
      compacted: (watcher) => {
        this.#compacted(watcher);
      },
      caughtUp: (watcher) => {
        this.#follow(watcher);
      },
      failed: deps.fatal,
    });
  }

  open(): Stream {
    const refused = this.#stopped ?? this.#refusal();
    if (refused !== undefined) throw refused;
    if (this.#streams.size >= this.#limits.streams)
      throw new DkvError(
        "overloaded",
        "this member serves as many streams of watches as it can: use another one",
      );
    const stream = new Stream(this);
    this.#streams.add(stream);
    return stream;
  }

  /** To be called for each command, once it is applied. */
  applied({ changes, result }: Pick<Applied, "changes" | "result">): void {
    if (result.kind === "alarm") this.#check();
    if (changes.length > 0) this.#changed(changes);
  }

  /** The state was replaced by a newer one, as a whole: what is new in it is read from its history. */
  restored(): void {
    const { revision } = this.#deps.store;
    assert(revision >= this.#revision, "a state that is taken over is never older");
    const next = this.#revision + 1;
    this.#revision = revision;
    this.#catchUp.restored();
    for (const stream of this.#streams) {
      for (const watcher of stream.watchers) {
        if (watcher.state !== "follows") continue;
        watcher.next = Math.max(watcher.next, next);
        if (watcher.next > revision) continue;
        this.#index.remove(watcher);
        this.#fallBehind(watcher);
      }
    }
    this.#reached();
    this.#check();
  }

  /** To be called when the member starts, and when it knows another leader, or none. */
  leadership(now: Pick<SoftState, "leader">): void {
    this.#leaderless.changed(now);
  }

  /** Ends all streams with this error, and takes none from now on. */
  stop(error: DkvError): void {
    this.#stopped = error;
    this.#leaderless.stop();
    this.#catchUp.stop();
    this.#endAll(error);
  }

  get revision(): Revision {
    return this.#revision;
  }

  begin(watcher: Watcher): void {
    if (this.#watches >= this.#limits.watches)
      throw new DkvError("overloaded", "this member has as many watches as it can: use another one");
    this.#watches += 1;
    if (watcher.next > this.#revision) this.#follow(watcher);
    else this.#fallBehind(watcher);
  }

  end(watcher: Watcher): void {
    if (watcher.state === "over") return;
    this.#watches -= 1;
    if (watcher.state === "follows") this.#index.remove(watcher);
    if (watcher.state === "catchingUp") this.#catchUp.remove(watcher);
    watcher.state = "over";
  }

  resume(parked: readonly Watcher[]): void {
    for (const watcher of parked) this.#fallBehind(watcher);
  }

  serveSoon(stream: Stream): void {
    if (this.#woken.push(stream) > 1) return;
    queueMicrotask(() => {
      const woken = this.#woken;
      this.#woken = [];
      for (const each of woken) each.serve();
    });
  }

  awaitRevision(stream: Stream, revision: Revision): void {
    this.#awaited.set(stream, revision);
  }

  closed(stream: Stream): void {
    this.#streams.delete(stream);
    this.#awaited.delete(stream);
  }

  failed(error: unknown): void {
    this.#deps.fatal(error);
  }

  #changed(changes: readonly Change[]): void {
    const first = changes[0]?.made.modRevision;
    const last = changes.at(-1)?.made.modRevision ?? this.#revision;
    if (first === last) this.#index.tell(last, changes, this.#deliver);
    else this.#tellEach(changes);
    this.#revision = last;
    this.#catchUp.applied(changes);
    this.#reached();
  }

  /** Several leases have ended: each has made a revision. */
  #tellEach(changes: readonly Change[]): void {
    const stretch = new Stretch(this.#revision + 1);
    stretch.append(changes);
    for (const { revision, changes: all } of stretch.after(stretch.from))
      this.#index.tell(revision, all, this.#deliver);
  }

  #tell(watcher: Watcher, batch: Batch): void {
    const { outlet } = watcher;
    if (!outlet.isFull) {
      outlet.push(watcher, batch);
      return;
    }
    if (watcher.state === "follows") this.#index.remove(watcher);
    else this.#catchUp.remove(watcher);
    watcher.next = batch.revision;
    outlet.park(watcher);
  }

  #follow(watcher: Watcher): void {
    watcher.state = "follows";
    this.#index.add(watcher);
  }

  #fallBehind(watcher: Watcher): void {
    if (watcher.outlet.isFull) {
      watcher.outlet.park(watcher);
      return;
    }
    watcher.state = "catchingUp";
    this.#catchUp.add(watcher);
  }

  #compacted(watcher: Watcher): void {
    this.end(watcher);
    watcher.outlet.compacted(watcher, this.#deps.store.compaction.revision);
  }

  /** Those who waited for the current revision can go on. */
  #reached(): void {
    // Asked at every change.
    if (this.#awaited.size === 0) return;
    for (const [stream, revision] of this.#awaited) {
      if (revision > this.#revision) continue;
      this.#awaited.delete(stream);
      stream.advanced();
    }
  }

  #refusal(): DkvError | undefined {
    return this.#deps.refusal() ?? this.#leaderless.refusal();
  }

  #check(): void {
    const refused = this.#refusal();
    if (refused !== undefined) this.#endAll(refused);
  }

  #endAll(error: DkvError): void {
    for (const stream of this.#streams) stream.end(error);
  }
}
