/** Election safety: at most one leader in a term. Source: Raft Fig. 3, §5.2. */
import type { Observation } from "@dkv/raft";
import { SafetyViolation } from "./truth.ts";

export class ElectionSafety {
  readonly #leaders = new Map<number, bigint>();

  /** How many terms had a leader. */
  get elections(): number {
    return this.#leaders.size;
  }

  /** Returns whether it is a leader that was not seen before. */
  observe({ id, role, term }: Pick<Observation, "id" | "role" | "term">): boolean {
    if (role !== "leader") return false;
    const known = this.#leaders.get(term);
    if (known === undefined) this.#leaders.set(term, id);
    else if (known !== id) throw new SafetyViolation(`term ${String(term)} has two leaders`);
    return known === undefined;
  }
}
