/**
 * Leases by the moment at which they may be due: a binary heap. A lease that is given more time stays where
 * it is until its former moment has come, so that to keep a lease alive costs no more than to find it.
 */
import { assert } from "../../platform/assert.ts";

/**
 * So that no look takes long: a new leader gives all leases the same moment, and when that comes, all of them
 * have a later one. What is due is found by one of the next looks.
 */
export const mostLookedAt = 5000;

export interface Timed {
  /** When its time is up. Becomes later, never earlier, while it stands here. */
  readonly deadlineMs: number;
  /** What it is sorted by here: its deadline, or a former one. */
  queuedMs: number;
  /** Where it stands here; -1 if it does not. */
  place: number;
}

export class Deadlines<Lease extends Timed> {
  readonly #heap: Lease[] = [];

  get size(): number {
    return this.#heap.length;
  }

  add(lease: Lease): void {
    assert(lease.place === -1, "a lease stands in the queue once");
    lease.queuedMs = lease.deadlineMs;
    this.#heap.push(lease);
    this.#rise(lease, this.#heap.length - 1);
  }

  /** Does nothing if it is not here. */
  remove(lease: Lease): void {
    const { place } = lease;
    if (place === -1) return;
    lease.place = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === lease) return;
    this.#rise(last, place);
    this.#sink(last, last.place);
  }

  /** Takes out those whose time is up, at most so many, and of those that it looks at. */
  takeDue(nowMs: number, most: number): readonly Lease[] {
    const due: Lease[] = [];
    for (let looked = 0; looked < mostLookedAt && due.length < most; looked += 1) {
      const [first] = this.#heap;
      if (first === undefined || first.queuedMs > nowMs) break;
      this.remove(first);
      if (first.deadlineMs <= nowMs) due.push(first);
      else this.add(first);
    }
    return due;
  }

  #rise(lease: Lease, from: number): void {
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = this.#heap[above];
      if (parent === undefined || parent.queuedMs <= lease.queuedMs) break;
      this.#put(parent, place);
      place = above;
    }
    this.#put(lease, place);
  }

  #sink(lease: Lease, from: number): void {
    let place = from;
    for (;;) {
      const left = this.#heap[2 * place + 1];
      const right = this.#heap[2 * place + 2];
      const child =
        right !== undefined && left !== undefined && right.queuedMs < left.queuedMs ? right : left;
      if (child === undefined || child.queuedMs >= lease.queuedMs) break;
      const below = child.place;
      this.#put(child, place);
      place = below;
    }
    this.#put(lease, place);
  }

  #put(lease: Lease, place: number): void {
    this.#heap[place] = lease;
    lease.place = place;
  }
}
