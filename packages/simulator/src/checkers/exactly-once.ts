/**
 * Exactly once: a command stands in one place of the log that everybody applies. Whoever proposes it again,
 * as a leader has refused it or is none any more, has to be certain that the first time came to nothing.
 */
import type { CommandId } from "@dkv/store";
import { SafetyViolation } from "./truth.ts";

export class ExactlyOnce {
  /** By who proposed it, and which of his it is: the index of the entry. */
  readonly #indexes = new Map<bigint, Map<number, number>>();

  applied({ proposer, sequence }: CommandId, index: number): void {
    const known = this.#indexes.get(proposer);
    if (known === undefined) {
      this.#indexes.set(proposer, new Map([[sequence, index]]));
      return;
    }
    const first = known.get(sequence);
    if (first === undefined) known.set(sequence, index);
    else if (first !== index)
      throw new SafetyViolation(`one command was applied twice, at ${String(first)} and at ${String(index)}`);
  }
}
