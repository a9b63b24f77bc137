/** A set of intervals of keys, which is asked whether a key is in one of them. */
import type { ByteString } from "@dkv/store";

interface Bounds {
  readonly from: ByteString;
  readonly before: ByteString;
}

/** In order, and apart from each other. */
type Run = readonly Bounds[];

/**
 * Transactions within transactions can have a hundred thousand of them, which are asked for again and again
 * while they come. So they are kept in runs, each at least twice as long as the next one: few have to be
 * looked at, and each interval goes from one run to another only a few times.
 */
export class IntervalSet {
  readonly #runs: Run[] = [];
  #added: Bounds[] = [];

  /** Does nothing if there is no key between the two. */
  add(from: ByteString, before: ByteString): void {
    if (from < before) this.#added.push({ from, before });
  }

  addAll(other: IntervalSet): void {
    for (const run of other.#inOrder()) this.#insert(run);
  }

  has(key: ByteString): boolean {
    return this.#inOrder().some((run) => isIn(run, key));
  }

  #inOrder(): readonly Run[] {
    if (this.#added.length > 0) {
      this.#insert(merged(this.#added));
      this.#added = [];
    }
    return this.#runs;
  }

  #insert(run: Run): void {
    let longer = run;
    for (let last = this.#runs.at(-1); last !== undefined && last.length < 2 * longer.length; ) {
      longer = merged([...last, ...longer]);
      this.#runs.pop();
      last = this.#runs.at(-1);
    }
    this.#runs.push(longer);
  }
}

function isIn(run: Run, key: ByteString): boolean {
  let [low, high] = [0, run.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const bounds = run[middle];
    if (bounds === undefined || key < bounds.from) high = middle;
    else if (key >= bounds.before) low = middle + 1;
    else return true;
  }
  return false;
}

/** The same keys, without overlaps. */
function merged(list: Bounds[]): Run {
  list.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  const result: Bounds[] = [];
  for (const bounds of list) {
    const last = result.at(-1);
    if (last === undefined || bounds.from > last.before) result.push(bounds);
    else if (bounds.before > last.before) result[result.length - 1] = { ...last, before: bounds.before };
  }
  return result;
}
