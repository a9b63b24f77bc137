import { assert } from "../assert.ts";
import { indexAfter, indexBefore, type LogIndex, maxIndex, minIndex, noEntry } from "../types.ts";
import { Inflights } from "./inflights.ts";

export type ReplicationState = "probe" | "replicate" | "snapshot";

export interface ProgressOptions {
  /** Where the first append to this follower starts. */
  readonly next: LogIndex;
  readonly maxInflightMessages: number;
  readonly maxInflightBytes: number;
}

/**
 * What a leader believes about one follower.
 *
 *   probe      the place where the logs agree is not known: one append at a time, until it is accepted
 *   replicate  it is known: appends are sent ahead of their answers, as far as the window allows
 *   snapshot   it lies before the beginning of our log: nothing is appended until the follower has taken a
 *              snapshot
 *
 * Invariants: match < next; match never decreases; everything in the window lies above match; unless
 * replicating it is empty. Source: Raft Fig. 2, nextIndex and matchIndex; Diss. §10.2.2 for the pipeline.
 */
export class Progress {
  readonly #inflights: Inflights;
  #match: LogIndex = noEntry.index;
  #next: LogIndex;
  #state: ReplicationState = "probe";
  #probeSent = false;
  /**
   * Whether the probe was sent before the latest heartbeat, so that an answer to that should have followed
   * its own.
   */
  #probeMayBeLost = false;
  #toldCommit: LogIndex = noEntry.index;
  /** Last index sent before the latest heartbeat. */
  #sentAtHeartbeat: LogIndex = noEntry.index;
  #isStalled = false;
  #needsNudge = false;
  /** Whether a tick has passed since an append was sent. */
  #tickPassed = false;
  /** The follower has a caller waiting for the commit of this index. */
  #awaitedCommit: LogIndex = noEntry.index;

  constructor(options: ProgressOptions) {
    this.#next = options.next;
    this.#inflights = new Inflights(options.maxInflightMessages, options.maxInflightBytes);
  }

  /** Highest index known to be on the follower's disk and equal to ours. */
  get match(): LogIndex {
    return this.#match;
  }

  /** First index of the next append. */
  get next(): LogIndex {
    return this.#next;
  }

  get state(): ReplicationState {
    return this.#state;
  }

  /** Highest commit index sent in a message that let the follower commit that far. */
  get toldCommit(): LogIndex {
    return this.#toldCommit;
  }

  /** Whether the window or an unanswered probe forbids another append. */
  get isPaused(): boolean {
    if (this.#state === "snapshot") return true;
    return this.#state === "probe" ? this.#probeSent : this.#inflights.isFull;
  }

  /**
   * Whether an append is due to a follower of a log that ends at `last`.
   *
   * An empty one only tells the commit index, which the next entries would carry along. So it waits: while
   * entries are on their way, and otherwise for a tick, unless somebody at the follower waits for the commit.
   * A busy leader saves half of its messages by that.
   */
  wantsAppend(last: LogIndex, commit: LogIndex): boolean {
    if (this.#needsNudge) return true;
    if (this.isPaused) return false;
    if (this.#next <= last) return true;
    // Where the logs agree is asked with an empty append, if need be.
    if (this.#state === "probe" && indexAfter(this.#match) < this.#next) return true;
    if (this.#toldCommit >= commit || !this.#inflights.isEmpty) return false;
    return this.#tickPassed || this.#toldCommit < this.#awaitedCommit;
  }

  /** Somebody at the follower waits for the commit of `index`. */
  awaitsCommit(index: LogIndex): void {
    this.#awaitedCommit = maxIndex(this.#awaitedCommit, index);
  }

  tick(): void {
    this.#tickPassed = true;
  }

  /**
   * Takes note of an append of the entries from next up to and with `last`; `last` is next - 1 for an empty
   * one.
   */
  sentAppend(last: LogIndex, bytes: number, commit: LogIndex): void {
    assert(last >= indexBefore(this.#next), "an append starts at next");
    this.#needsNudge = false;
    this.#tickPassed = false;
    this.toldUpTo(minIndex(commit, last));
    if (this.#state === "probe") {
      this.#probeSent = true;
      return;
    }
    if (last < this.#next) return;
    this.#inflights.add(last, bytes);
    this.#next = indexAfter(last);
  }

  /** Takes note that the follower has been sent `commit`. */
  toldUpTo(commit: LogIndex): void {
    this.#toldCommit = maxIndex(this.#toldCommit, commit);
  }

  /**
   * The follower stores everything up to `match`, and our log begins with `first`. Returns whether that was
   * news.
   */
  accepted(match: LogIndex, first: LogIndex): boolean {
    if (match < this.#match) return false;
    const isNews = match > this.#match;
    if (!isNews && this.#state === "replicate") return false;
    this.#match = match;
    this.#next = maxIndex(this.#next, indexAfter(match));
    // A late answer from before the snapshot does not make good what our log lacks.
    if (this.#state === "snapshot" && indexAfter(match) < first) return isNews;
    if (this.#state === "replicate") this.#inflights.freeTo(match);
    else this.#becomeReplicate();
    return true;
  }

  /** The follower needs what our log does not hold any more. */
  becomeSnapshot(): void {
    this.#becomeProbe();
    this.#state = "snapshot";
  }

  /**
   * The snapshot will not arrive, or it did and its answer was lost. A probe at the beginning of our log,
   * which is at `first`, shows which: whoever refuses it needs a snapshot.
   */
  snapshotFailed(first: LogIndex): void {
    if (this.#state !== "snapshot") return;
    this.#becomeProbe();
    this.#next = maxIndex(this.#next, first);
  }

  /**
   * The follower refused an append after `prev`; the logs agree at `agreed` at most. Returns false for
   * old news. Each refusal that counts lowers next, so probing ends.
   */
  rejected(prev: LogIndex, agreed: LogIndex): boolean {
    // What was acknowledged stays stored, so this refusal was sent before.
    if (prev <= this.#match) return false;
    if (this.#state === "replicate") {
      this.#becomeProbe();
      return true;
    }
    if (prev !== indexBefore(this.#next)) return false;
    this.#next = maxIndex(minIndex(prev, indexAfter(agreed)), indexAfter(this.#match));
    this.#probeSent = false;
    return true;
  }

  /** A heartbeat is due. What was on its way at the one before and is still not acknowledged may be lost. */
  heartbeatSent(): void {
    this.#probeMayBeLost = this.#probeSent;
    this.#isStalled = this.#state === "replicate" && this.#match < this.#sentAtHeartbeat;
    this.#sentAtHeartbeat = indexBefore(this.#next);
  }

  /**
   * The follower is there. Repeats a probe that may be lost, and asks with an empty append whether a
   * pipeline that stands still has lost something: it would be refused. Heartbeats in between, which reads
   * cause, repeat nothing: a probe may be a mebibyte, and the follower's disk busy with the first.
   */
  heartbeatAnswered(): void {
    if (this.#state === "probe" && this.#probeMayBeLost) this.#probeSent = false;
    this.#probeMayBeLost = false;
    if (!this.#isStalled) return;
    this.#isStalled = false;
    this.#needsNudge = true;
  }

  #becomeProbe(): void {
    this.#state = "probe";
    this.#probeSent = false;
    this.#sentAtHeartbeat = noEntry.index;
    this.#isStalled = false;
    this.#needsNudge = false;
    this.#inflights.clear();
    this.#next = indexAfter(this.#match);
  }

  #becomeReplicate(): void {
    this.#state = "replicate";
    this.#next = indexAfter(this.#match);
    this.#sentAtHeartbeat = noEntry.index;
  }
}
