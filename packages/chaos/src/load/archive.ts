/** What keys may hold that nobody writes any more: their histories are judged, and must stay as they were. */
import type { FinalState, RegisterHistory } from "@dkv/checker";

/** Keys that are remembered; the oldest are forgotten first. */
const mostKeys = 2_000;

export class Archive {
  /** undefined among the values: nothing. */
  readonly #allowed = new Map<string, ReadonlySet<string | undefined>>();

  /** Takes the keys of a history after all of its operations have ended, with what was found then. */
  add(history: RegisterHistory, final: FinalState<string>): void {
    const keys = new Set(history.map(({ action }) => action.key));
    const open = history.filter(({ outcome, action }) => outcome.kind === "unknown" && action.kind !== "get");
    for (const key of keys) {
      const late = open
        .filter(({ action }) => action.key === key)
        .map(({ action }) => (action.kind === "set" ? action.value : undefined));
      this.#allowed.set(key, new Set([final.get(key), ...late]));
    }
    for (const key of this.#allowed.keys()) {
      if (this.#allowed.size <= mostKeys) return;
      this.#allowed.delete(key);
    }
  }

  get keys(): readonly string[] {
    return [...this.#allowed.keys()];
  }

  /** Why the key cannot hold that; undefined if it can. */
  complaint(key: string, found: string | undefined): string | undefined {
    const allowed = this.#allowed.get(key);
    if (allowed === undefined || allowed.has(found)) return undefined;
    const described = [...allowed].map(describe).join(" or ");
    return `${key} was left alone with ${described}, and holds ${describe(found)} now`;
  }
}

const describe = (value: string | undefined): string =>
  value === undefined ? "nothing" : JSON.stringify(value);
