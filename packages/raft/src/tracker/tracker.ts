import { majorityReached, majoritySize } from "../quorum/majority.ts";
import { type Configuration, type LogIndex, noEntry, type NodeId } from "../types.ts";
import { Progress, type ProgressOptions } from "./progress.ts";

export interface TrackerOptions {
  readonly self: NodeId;
  readonly configuration: Configuration;
  readonly progress: ProgressOptions;
}

/** One follower, as its leader sees it. */
export interface Follower {
  readonly id: NodeId;
  readonly progress: Progress;
  /** The leader's tick at which the follower was heard last, if ever in this term. */
  heardAt: number | undefined;
}

/** Everything a leader knows about the others, and what a majority of all has reached. */
export class Tracker {
  readonly #self: NodeId;
  readonly #voters: readonly NodeId[];
  readonly #byId = new Map<NodeId, Follower>();
  /** In the order of the configuration. */
  readonly followers: readonly Follower[];
  /** Highest index of the leader's own log that is on its own disk. */
  #ownMatch: LogIndex = noEntry.index;

  constructor(options: TrackerOptions) {
    this.#self = options.self;
    this.#voters = options.configuration.voters;
    this.followers = this.#voters
      .filter((voter) => voter !== options.self)
      .map((id) => ({ id, progress: new Progress(options.progress), heardAt: undefined }));
    for (const follower of this.followers) this.#byId.set(follower.id, follower);
  }

  follower(id: NodeId): Follower | undefined {
    return this.#byId.get(id);
  }

  /** The leader is a member of its own quorum, and like every other only with what its disk holds. */
  storedOurselves(index: LogIndex): void {
    this.#ownMatch = index;
  }

  /** The highest index that a majority has on disk. */
  majorityMatch(): LogIndex {
    return majorityReached(this.#voters, this.#matchOf);
  }

  /**
   * Whether a majority, the leader included, was heard at or after the tick `since`. Those who voted were
   * heard at the election, tick 0.
   */
  majorityHeard(since: number): boolean {
    let heard = 1;
    for (const follower of this.followers) if ((follower.heardAt ?? 0) >= since) heard += 1;
    return heard >= majoritySize(this.#voters);
  }

  readonly #matchOf = (voter: NodeId): LogIndex =>
    voter === this.#self ? this.#ownMatch : (this.#byId.get(voter)?.progress.match ?? noEntry.index);
}
