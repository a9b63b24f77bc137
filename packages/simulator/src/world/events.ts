/** What is going to happen: a heap by time, and by the order of asking within the same moment. */
import type { Life } from "./life.ts";

/** What an event is, for the trace. */
export type EventKind = "timer" | "turn" | "bytes" | "socket" | "disk" | "client" | "fault" | "watch";

export interface SimEvent {
  /** Microseconds since the beginning. */
  readonly atUs: number;
  readonly sequence: number;
  readonly kind: EventKind;
  /** The process that it happens in; undefined for what happens outside of all. */
  readonly life: Life | undefined;
  /** Undefined once it was called off. */
  run: (() => void) | undefined;
}

export class EventQueue {
  readonly #heap: SimEvent[] = [];

  get size(): number {
    return this.#heap.length;
  }

  get nextUs(): number {
    return this.#heap[0]?.atUs ?? Number.POSITIVE_INFINITY;
  }

  push(event: SimEvent): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || isBefore(parent, event)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = event;
  }

  pop(): SimEvent | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || first === last) return first;
    let at = 0;
    for (;;) {
      const child = this.#smallerChild(at);
      const event = heap[child];
      if (event === undefined || isBefore(last, event)) break;
      heap[at] = event;
      at = child;
    }
    heap[at] = last;
    return first;
  }

  #smallerChild(at: number): number {
    const left = 2 * at + 1;
    const a = this.#heap[left];
    const b = this.#heap[left + 1];
    return a !== undefined && b !== undefined && isBefore(b, a) ? left + 1 : left;
  }
}

function isBefore(a: SimEvent, b: SimEvent): boolean {
  return a.atUs < b.atUs || (a.atUs === b.atUs && a.sequence < b.sequence);
}
