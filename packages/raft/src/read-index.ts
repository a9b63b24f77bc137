/**
 * Linearizable reads without a log entry. Source: Diss. §6.4.
 *
 *   early ──▶ waiting ──▶ confirmed
 *
 *   early      the leader has not committed in its own term, so its commit index may be behind
 *   waiting    the read's index is fixed; a majority must still say that this leader leads
 *   confirmed  a majority answered a heartbeat that was sent after the read arrived
 *
 * Reads stand in a queue and are numbered as they come. A heartbeat carries the newest number, so an answer
 * confirms that read and all before it: any number of reads share one round. The numbers are the leader's
 * own, and never used twice in its term: a reader's context could come again in a late copy of its
 * question, and old answers would then confirm younger reads.
 */
import type { VoterGroups } from "./configuration/configuration.ts";
import { jointReached } from "./quorum/joint.ts";
import type { LogIndex, NodeId, ReadContext } from "./types.ts";

/** A round of reads that somebody asked this leader for. */
export interface ReadRequest {
  readonly context: ReadContext;
  /** Who serves the readers: this node or a follower. */
  readonly from: NodeId;
}

export interface IndexedRead extends ReadRequest {
  /** The commit index when the read arrived. */
  readonly index: LogIndex;
}

export interface ReadRoundsOptions {
  readonly self: NodeId;
  /** Rounds that may wait at once; further ones are ignored and asked for again by their readers. */
  readonly capacity: number;
}

export class ReadRounds {
  readonly #options: ReadRoundsOptions;
  #early: ReadRequest[] = [];
  readonly #waiting: IndexedRead[] = [];
  /** Reads confirmed so far. The read at `#waiting[i]` has the running number `#confirmed + i + 1`. */
  #confirmed = 0;
  /** Running number of the newest read named in a heartbeat. */
  #announced = 0;
  /** Running number up to which each follower has answered. */
  readonly #answered = new Map<NodeId, number>();

  constructor(options: ReadRoundsOptions) {
    this.#options = options;
  }

  /** Queues a read until the leader has committed in its term. */
  addEarly(request: ReadRequest): void {
    if (this.#accepts(request)) this.#early.push(request);
  }

  /** Queues a read at the commit index. */
  add(request: ReadRequest, commit: LogIndex): void {
    if (this.#accepts(request)) this.#waiting.push({ ...request, index: commit });
  }

  /** The leader has committed in its term, up to `commit`: early reads get their index. */
  committedInTerm(commit: LogIndex): void {
    if (this.#early.length === 0) return;
    for (const request of this.#early) this.#waiting.push({ ...request, index: commit });
    this.#early = [];
  }

  /** Whether a read waits that no heartbeat has named. */
  get needsRound(): boolean {
    return this.#newest > this.#announced;
  }

  /** The number that a heartbeat sent now must carry; undefined if no read waits. */
  announce(): number | undefined {
    this.#announced = this.#newest;
    return this.#waiting.length === 0 ? undefined : this.#newest;
  }

  /** A follower answered the heartbeat that carried `number`. One that was never announced says nothing. */
  answered(from: NodeId, number: number): void {
    if (number > this.#announced) return;
    if (number > (this.#answered.get(from) ?? 0)) this.#answered.set(from, number);
  }

  /** Takes the reads that a quorum of the configuration in force has confirmed. */
  takeConfirmed(voters: VoterGroups): readonly IndexedRead[] {
    if (this.#waiting.length === 0) return [];
    const reached = jointReached(voters, this.#numberOf);
    if (reached <= this.#confirmed) return [];
    const taken = this.#waiting.splice(0, reached - this.#confirmed);
    this.#confirmed = reached;
    return taken;
  }

  /** Everything that will not be confirmed any more. */
  all(): readonly ReadRequest[] {
    return [...this.#early, ...this.#waiting];
  }

  get #newest(): number {
    return this.#confirmed + this.#waiting.length;
  }

  #accepts({ context }: ReadRequest): boolean {
    if (this.#early.length + this.#waiting.length >= this.#options.capacity) return false;
    // A request that the network delivered twice.
    return (
      !this.#early.some((read) => read.context === context) &&
      !this.#waiting.some((read) => read.context === context)
    );
  }

  readonly #numberOf = (voter: NodeId): number =>
    voter === this.#options.self ? this.#newest : (this.#answered.get(voter) ?? 0);
}

/**
 * Reads that a follower has asked its leader for. Each is answered, or given up after an election timeout.
 */
export class ForwardedReads {
  #reads: { readonly context: ReadContext; age: number }[] = [];

  add(context: ReadContext): void {
    this.#reads.push({ context, age: 0 });
  }

  /** Whether the answer was waited for; it is not any more. */
  take(context: ReadContext): boolean {
    const position = this.#reads.findIndex((read) => read.context === context);
    if (position === -1) return false;
    this.#reads.splice(position, 1);
    return true;
  }

  /** A tick passes. Takes those older than `maxAge` ticks: the request or its answer was lost. */
  tick(maxAge: number): readonly ReadContext[] {
    if (this.#reads.length === 0) return [];
    for (const read of this.#reads) read.age += 1;
    const isLost = (read: { readonly age: number }): boolean => read.age > maxAge;
    if (!this.#reads.some(isLost)) return [];
    const lost = this.#reads.filter(isLost);
    this.#reads = this.#reads.filter((read) => !isLost(read));
    return lost.map(({ context }) => context);
  }

  all(): readonly ReadContext[] {
    return this.#reads.map(({ context }) => context);
  }
}
