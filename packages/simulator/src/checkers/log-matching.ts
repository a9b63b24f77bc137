/**
 * Log matching: entries with the same index and term are the same, and so is everything before them. Source:
 * Raft Fig. 3, §5.3. It holds if it holds for each entry and the term of the one before.
 */
import type { Entry } from "@dkv/raft";
import { SafetyViolation } from "./truth.ts";

interface Known {
  readonly entry: Entry;
  readonly termBefore: number | undefined;
}

/** Terms of a run stay far below. */
const mostTerms = 2 ** 21;

export class LogMatching {
  readonly #known = new Map<number, Known>();

  /** @param termBefore of the entry before the first one; undefined if that is not known any more */
  appended(entries: readonly Entry[], termBefore: number | undefined): void {
    let before = termBefore;
    for (const entry of entries) {
      this.#check(entry, before);
      before = entry.term;
    }
  }

  #check(entry: Entry, termBefore: number | undefined): void {
    const name = entry.index * mostTerms + entry.term;
    const known = this.#known.get(name);
    if (known === undefined) {
      this.#known.set(name, { entry, termBefore });
      return;
    }
    const where = `entry ${String(entry.index)} of term ${String(entry.term)}`;
    if (known.entry.kind !== entry.kind || Buffer.compare(known.entry.data, entry.data) !== 0)
      throw new SafetyViolation(`${where} differs between two logs`);
    if (known.termBefore !== undefined && termBefore !== undefined && known.termBefore !== termBefore)
      throw new SafetyViolation(`${where} follows different entries in two logs`);
  }
}
