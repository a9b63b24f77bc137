/**
 * Leader completeness: what was committed in a term is in the log of every leader of a later one. Source:
 * Raft Fig. 3, §5.4.3. Logs that share an entry are equal up to it, which is checked apart, so the last one
 * is enough.
 */
import type { EntryId, Observation } from "@dkv/raft";
import { SafetyViolation } from "./truth.ts";

export class LeaderCompleteness {
  /**
   * The highest committed entry that a node in each term knew of. It was committed in that term or before.
   */
  readonly #committed = new Map<number, EntryId>();

  observe({ term, committed }: Pick<Observation, "term" | "committed">): void {
    const known = this.#committed.get(term);
    if (known === undefined || committed.index > known.index) this.#committed.set(term, committed);
  }

  /** @param termAt of the new leader's log; undefined outside of it */
  elected(
    { term, first }: Pick<Observation, "term" | "first">,
    termAt: (index: EntryId["index"]) => number | undefined,
  ): void {
    for (const [inTerm, { index, term: entryTerm }] of this.#committed) {
      if (inTerm >= term || index < first) continue;
      if (termAt(index) !== entryTerm)
        throw new SafetyViolation(
          `the leader of term ${String(term)} lacks entry ${String(index)} of term ${String(entryTerm)}, ` +
            `committed in term ${String(inTerm)} or before`,
        );
    }
  }
}
