import type { ByteString } from "../bytes.ts";
import type { Interval } from "../read/interval.ts";

/**
 * Keys in the order of their bytes, for whoever asks for an interval of them. Sorting waits for the first who
 * does: most keys are never asked for so.
 */
export class SortedKeys {
  #sorted: ByteString[] = [];
  #added: ByteString[] = [];

  /** Each key once. */
  add(key: ByteString): void {
    this.#added.push(key);
  }

  within({ from, before }: Interval): readonly ByteString[] {
    this.#sort();
    const start = this.#position(from);
    return this.#sorted.slice(start, before === undefined ? undefined : this.#position(before));
  }

  #sort(): void {
    if (this.#added.length === 0) return;
    this.#sorted = mergeSorted(this.#sorted, this.#added.sort(compareKeys));
    this.#added = [];
  }

  /** Of the first key that is not below. */
  #position(key: ByteString): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle] ?? "") < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** One character is one byte, so keys sort as strings do. */
export const compareKeys = (a: ByteString, b: ByteString): number => (a < b ? -1 : a > b ? 1 : 0);

/** Both lists in order become one; a key that is in both is in it once. */
export function mergeSorted(a: readonly ByteString[], b: readonly ByteString[]): ByteString[] {
  const merged: ByteString[] = [];
  let left = 0;
  let right = 0;
  for (;;) {
    const one = a[left];
    const other = b[right];
    if (one === undefined) {
      for (; right < b.length; right += 1) merged.push(b[right] ?? "");
      return merged;
    }
    if (other === undefined) {
      for (; left < a.length; left += 1) merged.push(a[left] ?? "");
      return merged;
    }
    const isFirst = one <= other;
    if (isFirst) left += 1;
    if (other <= one) right += 1;
    merged.push(isFirst ? one : other);
  }
}
