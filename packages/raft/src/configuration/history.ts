import { assert } from "../assert.ts";
import type { Entry, LogIndex } from "../types.ts";
import { decodeConfiguration } from "./codec.ts";
import type { ConfigurationAt } from "./configuration.ts";

/**
 * The configurations of a log: the one in force where the log begins, then each that an entry made.
 *
 *   log     │ base │ 8  9  [10]  11  [12]  13 ‥
 *   history   {≤7}          10         12          12 is in force, be it committed or not
 *
 * Invariant: indices rise. Entries that are replaced take their configurations with them, so there is always
 * one to go back to: a committed one.
 */
export class ConfigurationHistory {
  #base: ConfigurationAt;
  #later: readonly ConfigurationAt[];

  /** `base` is in force at the beginning of the log; `later` are those of the log's entries, ascending. */
  constructor(base: ConfigurationAt, later: readonly ConfigurationAt[] = []) {
    this.#base = base;
    this.#later = later;
    for (const [position, { index }] of later.entries())
      assert(index > (later[position - 1] ?? base).index, "configurations stand in the order of the log");
  }

  /** The one in force. */
  get latest(): ConfigurationAt {
    return this.#later.at(-1) ?? this.#base;
  }

  /** The one in force once everything up to `index` was appended; `index` is not before the base. */
  at(index: LogIndex): ConfigurationAt {
    assert(index >= this.#base.index, "configurations before the beginning of the log are not known");
    return this.#later.findLast((one) => one.index <= index) ?? this.#base;
  }

  /** The base, then the others. */
  all(): readonly [ConfigurationAt, ...ConfigurationAt[]] {
    return [this.#base, ...this.#later];
  }

  /**
   * Entries were appended, in place of everything from the first one's index on. Throws RangeError for one
   * that is no configuration.
   */
  append(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    const isNews = entries.some(({ kind }) => kind === "configuration");
    if (!isNews && this.latest.index < first.index) return;
    const made = entries
      .filter(({ kind }) => kind === "configuration")
      .map(({ index, data }) => ({ index, configuration: decodeConfiguration(data) }));
    this.#later = [...this.#later.filter(({ index }) => index < first.index), ...made];
  }

  /** The log now begins after `index`: the one in force there becomes the base. */
  compact(index: LogIndex): void {
    this.#base = this.at(index);
    this.#later = this.#later.filter((one) => one.index > this.#base.index);
  }
}
