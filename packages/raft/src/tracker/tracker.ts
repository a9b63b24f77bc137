import { type Configuration, membersOf } from "../configuration/configuration.ts";
import { jointReached, jointVote } from "../quorum/joint.ts";
import { type LogIndex, noEntry, type NodeId } from "../types.ts";
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
  /** The leader's tick at which it was elected, or the follower was added. */
  readonly since: number;
  /** The leader's tick at which the follower was heard last, if ever in this term. */
  heardAt: number | undefined;
}

/** Everything a leader knows about the others, and what those who decide have reached. */
export class Tracker {
  readonly #self: NodeId;
  #configuration: Configuration;
  readonly #byId = new Map<NodeId, Follower>();
  #followers: readonly Follower[] = [];
  /** Highest index of the leader's own log that is on its own disk. */
  #ownMatch: LogIndex = noEntry.index;

  constructor({ self, configuration, progress }: TrackerOptions) {
    this.#self = self;
    this.#configuration = configuration;
    this.configure(configuration, progress, 0);
  }

  /** All but the leader, learners too, in the order of the configuration. */
  get followers(): readonly Follower[] {
    return this.#followers;
  }

  follower(id: NodeId): Follower | undefined {
    return this.#byId.get(id);
  }

  /**
   * Another configuration is in force, from the leader's tick `now` on. What is known of those who stay is
   * kept.
   */
  configure(configuration: Configuration, progress: ProgressOptions, now: number): void {
    const ids = [...membersOf(configuration)].filter((id) => id !== this.#self);
    this.#configuration = configuration;
    this.#followers = ids.map(
      (id) => this.#byId.get(id) ?? { id, progress: new Progress(progress), since: now, heardAt: undefined },
    );
    this.#byId.clear();
    for (const follower of this.#followers) this.#byId.set(follower.id, follower);
  }

  /** The leader is a member of its own quorum, and like every other only with what its disk holds. */
  storedOurselves(index: LogIndex): void {
    this.#ownMatch = index;
  }

  /** The highest index that those who decide have on disk. */
  quorumMatch(): LogIndex {
    return jointReached(this.#configuration, this.#matchOf);
  }

  /**
   * Whether a quorum, the leader included if it has a vote, was heard at or after the tick `since`. Those who
   * voted were heard at the election, and who was added is given time from then on.
   */
  quorumHeard(since: number): boolean {
    return jointVote(this.#configuration, (voter) => this.#isHeard(voter, since)) === "won";
  }

  #isHeard(voter: NodeId, since: number): boolean {
    if (voter === this.#self) return true;
    const follower = this.#byId.get(voter);
    return follower !== undefined && (follower.heardAt ?? follower.since) >= since;
  }

  readonly #matchOf = (voter: NodeId): LogIndex =>
    voter === this.#self ? this.#ownMatch : (this.#byId.get(voter)?.progress.match ?? noEntry.index);
}
