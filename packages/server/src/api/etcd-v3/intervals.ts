/** A set of intervals of keys, which is asked whether a key is in one of them. */
import type { ByteString } from "@dkv/store";

interface Bounds {
  readonly from: ByteString;
  readonly before: ByteString;
}

/**
 * Transactions within transactions can have tens of thousands of them, so they are kept apart and in order;
 * but only once somebody asks, as many are put in at a time.
 */
export class IntervalSet {
  #sorted: readonly Bounds[] = [];
  #added: Bounds[] = [];

  /** Does nothing if there is no key between the two. */
  add(from: ByteString, before: ByteString): void {
    if (from < before) this.#added.push({ from, before });
  }

  addAll(other: IntervalSet): void {
    this.#added.push(...other.#inOrder());
  }

  has(key: ByteString): boolean {
    const sorted = this.#inOrder();
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const bounds = sorted[middle];
      if (bounds === undefined || key < bounds.from) high = middle;
      else if (key >= bounds.before) low = middle + 1;
      else return true;
    }
    return false;
  }

  #inOrder(): readonly Bounds[] {
    if (this.#added.length > 0) {
      this.#sorted = merged([...this.#sorted, ...this.#added]);
      this.#added = [];
    }
    return this.#sorted;
  }
}

/** The same keys, without overlaps. */
function merged(list: Bounds[]): readonly Bounds[] {
  list.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  const result: Bounds[] = [];
  for (const bounds of list) {
    const last = result.at(-1);
    if (last === undefined || bounds.from > last.before) result.push(bounds);
    else if (bounds.before > last.before) result[result.length - 1] = { ...last, before: bounds.before };
  }
  return result;
}
