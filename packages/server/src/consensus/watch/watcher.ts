/** A watch as its member keeps it. There may be a hundred thousand of them, so it has little. */
import type { Change, Revision } from "@dkv/store";
import type { WatchEvent, WatchSpec } from "./watch.ts";
import type { Group } from "./watch-index.ts";

/**
 * Where a watch is on its way to its client:
 *
 *   catchingUp ──▶ follows         is told of what is applied, as it is applied
 *      ▲ │ no room      │
 *      │ ▼              │
 *   parked ◀── no room ─┘          costs a place in the history, until its client has taken what is queued
 */
export type WatcherState = "follows" | "catchingUp" | "parked" | "over";

export interface Watcher {
  readonly id: number;
  readonly spec: WatchSpec;
  readonly outlet: Outlet;
  state: WatcherState;
  /**
   * All it wants before this revision was queued, and nothing from it on. While it follows, that is so of
   * what is applied next, and this the least that it wants to be told of.
   */
  next: Revision;
  /** Where an index has it, and at which place there. */
  group: Group | undefined;
  slot: number;
}

/** What one revision has for all who watch the same keys in the same way. They share it. */
export interface Batch {
  readonly revision: Revision;
  readonly changes: readonly Change[];
  /** Undefined: still without what the keys were before. */
  readonly events: readonly WatchEvent[] | undefined;
  /** Memory that it takes, roughly. */
  readonly bytes: number;
}

/** Where messages go. */
export interface Outlet {
  /** Whether more is to wait until some is taken. */
  readonly isFull: boolean;
  push(watcher: Watcher, batch: Batch): void;
  /** To be given back when there is room. */
  park(watcher: Watcher): void;
  compacted(watcher: Watcher, compactRevision: Revision): void;
  /** Some of its watches have caught up. */
  advanced(): void;
}
