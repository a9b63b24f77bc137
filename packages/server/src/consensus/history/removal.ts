/**
 * Has the history removed that was given up. The leader proposes it piece by piece, the next one when the
 * last was applied; whoever leads next goes on where that has come to, for the store knows.
 */
import { create } from "@bufbuild/protobuf";
import { RemoveHistoryCommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import type { Term } from "@dkv/raft";
import type { Store } from "@dkv/store";
import type { Clock } from "../../platform/clock.ts";
import type { OwnLog } from "../own-log.ts";

/**
 * Between two pieces everything else has its turn: at least for so long, and several times as long as the
 * piece has taken from the proposal until it was applied. So a cluster that is busy is so with other things,
 * and one that is not removes some 20,000 changes a second. The pause has a use besides: every member reads
 * the next piece meanwhile, and saves what came of the last.
 */
const leastPauseMs = 15;
const pausePerPiece = 3;
const mostPauseMs = 1000;

export interface HistoryRemovalDeps {
  readonly store: Pick<Store, "compaction">;
  readonly clock: Clock;
  readonly ownLog: Pick<OwnLog, "propose">;
}

export class HistoryRemoval {
  readonly #deps: HistoryRemovalDeps;
  /** In which this member leads. */
  #term: Term | undefined;
  #isRemoving = false;

  constructor(deps: HistoryRemovalDeps) {
    this.#deps = deps;
  }

  /** This member leads. */
  began(term: Term): void {
    this.#term = term;
    this.#isRemoving = false;
    this.moved();
  }

  ended(): void {
    this.#term = undefined;
  }

  /** History was given up, or removed. */
  moved(): void {
    const term = this.#term;
    if (term === undefined || this.#isRemoving || this.#deps.store.compaction.isRemoved) return;
    this.#isRemoving = true;
    this.#pause(leastPauseMs, term);
  }

  #pause(ms: number, term: Term): void {
    this.#deps.clock.after(ms, () => void this.#removePiece(term));
  }

  async #removePiece(term: Term): Promise<void> {
    const { store, clock, ownLog } = this.#deps;
    if (this.#term !== term) return;
    if (store.compaction.isRemoved) {
      this.#isRemoving = false;
      return;
    }
    const startedMs = clock.nowMs();
    await ownLog.propose(term, { case: "removeHistory", value: create(RemoveHistoryCommandSchema) });
    const pauseMs = pausePerPiece * (clock.nowMs() - startedMs);
    this.#pause(Math.min(mostPauseMs, Math.max(leastPauseMs, pauseMs)), term);
  }
}
