/**
 * A member that is cut off from the others applies nothing, and says nothing to those who watch it. It cannot
 * tell this from a quiet cluster but by its leader: after some time without one, they had better go
 * elsewhere.
 */
import type { SoftState } from "@dkv/raft";
import type { Cancel, Clock } from "../../platform/clock.ts";
import { DkvError } from "../../platform/errors.ts";

/** In election timeouts: few elections take so long, and who watches waits for the next leader anyway. */
const patience = 3;

export interface LeaderlessDeps {
  readonly clock: Pick<Clock, "after">;
  readonly electionTimeoutMs: number;
}

export class Leaderless {
  readonly #deps: LeaderlessDeps;
  readonly #onLong: () => void;
  /** While there is no leader, and it has not been for too long. */
  #cancel: Cancel | undefined;
  #isLong = false;

  /** @param onLong when there was no leader for too long */
  constructor(deps: LeaderlessDeps, onLong: () => void) {
    this.#deps = deps;
    this.#onLong = onLong;
  }

  /** Why this member is not to be watched; undefined if it may be. */
  refusal(): DkvError | undefined {
    if (!this.#isLong) return undefined;
    return new DkvError(
      "noLeader",
      "this member has had no leader for some time, and may be cut off from the others: watch another one",
    );
  }

  changed({ leader }: Pick<SoftState, "leader">): void {
    if (leader !== undefined) {
      this.stop();
      this.#isLong = false;
    } else if (!this.#isLong) {
      const { clock, electionTimeoutMs } = this.#deps;
      this.#cancel ??= clock.after(patience * electionTimeoutMs, () => {
        this.#isLong = true;
        this.#onLong();
      });
    }
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
