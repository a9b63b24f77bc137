/**
 * What a leader proposes of its own accord: straight to its own log, in the term in which it decided so, and
 * nowhere else. So it learns what becomes of it: either the entry is applied while the member still leads, or
 * it loses leadership first. And what it proposes later comes later in the log.
 */
import type { Term } from "@dkv/raft";
import { type Applied, encodeCommand, type LoggedOperation } from "@dkv/store";
import type { Driver } from "./driver.ts";
import type { Proposals } from "./proposals.ts";

export interface OwnLogDeps {
  readonly driver: Pick<Driver, "withNode">;
  readonly proposals: Pick<Proposals, "nextSequence">;
  /** Names this run of this process in commands. */
  readonly proposer: bigint;
}

export class OwnLog {
  readonly #deps: OwnLogDeps;
  readonly #waiting = new Map<number, (isApplied: boolean) => void>();

  constructor(deps: OwnLogDeps) {
    this.#deps = deps;
  }

  /**
   * Resolves with true once the operation was applied, refused by the store or not. With false if it was not
   * taken, or leadership was lost before: a later leader may have it in its log then.
   *
   * @param term in which this member leads, as the caller believes
   */
  propose(term: Term, operation: LoggedOperation): Promise<boolean> {
    const { driver, proposals, proposer } = this.#deps;
    const sequence = proposals.nextSequence();
    const command = encodeCommand({ proposer, sequence }, operation, "member");
    const isTaken = driver.withNode(
      (node) => node.status().term === term && node.propose([command]).kind === "accepted",
    );
    if (!isTaken) return Promise.resolve(false);
    return new Promise((resolve) => this.#waiting.set(sequence, resolve));
  }

  /** A command was applied, whoever's it is. */
  applied({ proposer, sequence }: Applied["id"]): void {
    if (this.#waiting.size === 0 || proposer !== this.#deps.proposer) return;
    const settle = this.#waiting.get(sequence);
    this.#waiting.delete(sequence);
    settle?.(true);
  }

  /** This member does not lead any more in the term in which all that waits was proposed. */
  lost(): void {
    const settles = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const settle of settles) settle(false);
  }
}
