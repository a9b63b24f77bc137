/** What is queued for one client. */
import type { Revision } from "@dkv/store";
import type { WatchEvent, WatchMessage } from "./watch.ts";
import type { Batch, Watcher } from "./watcher.ts";

/** Changes, roughly, that are handed out at a time if it has to be read what their keys were before. */
const unreadAtOnce = 64;

export type Queued =
  | { readonly kind: "events"; readonly watcher: Watcher; readonly batch: Batch }
  | { readonly kind: "compacted"; readonly watcher: Watcher; readonly compactRevision: Revision };

/** Memory for queues, in bytes. */
export interface Room {
  /** By what is in all of them. */
  taken: number;
  readonly all: number;
  readonly ofStream: number;
}

export type KnownEvents = ReadonlyMap<Batch, readonly WatchEvent[]>;

/** What goes out together. */
export interface Portion {
  readonly entries: readonly Queued[];
  /** Those of its batches that have no events yet. */
  readonly unread: readonly Batch[];
}

export class Queue {
  readonly #room: Room;
  #entries: Queued[] = [];
  #bytes = 0;

  constructor(room: Room) {
    this.#room = room;
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  get isFull(): boolean {
    const { taken, all, ofStream } = this.#room;
    return this.#bytes >= ofStream || (this.#bytes > 0 && taken >= all);
  }

  push(entry: Queued): void {
    this.#entries.push(entry);
    if (entry.kind === "events") this.#count(entry.batch.bytes);
  }

  /** The first revision that there is for a watch. */
  firstOf(watcher: Watcher): Revision | undefined {
    for (const entry of this.#entries)
      if (entry.kind === "events" && entry.watcher === watcher) return entry.batch.revision;
    return undefined;
  }

  /** What was queued first; all of it, unless it is much that has to be read. It stays in the queue. */
  portion(): Portion {
    const unread: Batch[] = [];
    let changes = 0;
    let at = 0;
    for (const entry of this.#entries) {
      if (changes >= unreadAtOnce) return { entries: this.#entries.slice(0, at), unread };
      at += 1;
      if (entry.kind !== "events" || entry.batch.events !== undefined) continue;
      unread.push(entry.batch);
      changes += entry.batch.changes.length;
    }
    return { entries: this.#entries, unread };
  }

  /** Takes out what was queued first. */
  drop(count: number): void {
    const isAll = count === this.#entries.length;
    const dropped = isAll ? this.#entries : this.#entries.slice(0, count);
    this.#entries = isAll ? [] : this.#entries.slice(count);
    for (const entry of dropped) if (entry.kind === "events") this.#count(-entry.batch.bytes);
  }

  clear(): void {
    this.drop(this.#entries.length);
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#room.taken += bytes;
  }
}

/**
 * What is queued, as messages. What follows itself for one watch becomes one of them.
 *
 * @param known events of the batches that had none
 */
export function messagesOf(entries: readonly Queued[], known: KnownEvents): WatchMessage[] {
  const messages: WatchMessage[] = [];
  for (let start = 0, end = 1; start < entries.length; start = end, end += 1) {
    const first = entries[start];
    if (first?.kind === "compacted")
      messages.push({ kind: "compacted", id: first.watcher.id, compactRevision: first.compactRevision });
    if (first?.kind !== "events") continue;
    const parts = [eventsOf(first, known)];
    let { revision } = first.batch;
    for (let next = entries[end]; next?.kind === "events" && next.watcher === first.watcher; ) {
      parts.push(eventsOf(next, known));
      revision = next.batch.revision;
      end += 1;
      next = entries[end];
    }
    messages.push({ kind: "events", id: first.watcher.id, revision, events: joined(parts) });
  }
  return messages;
}

type Events = readonly WatchEvent[];

const eventsOf = ({ batch }: Extract<Queued, { kind: "events" }>, known: KnownEvents): Events =>
  batch.events ?? known.get(batch) ?? [];

/** By the first part: those who are told several batches together mostly are told the same ones. */
const lastJoined = new WeakMap<Events, { readonly parts: readonly Events[]; readonly events: Events }>();

/** Events of parts that follow each other: the same array for the same parts. */
function joined(parts: readonly Events[]): Events {
  const [first] = parts;
  if (first === undefined || parts.length === 1) return first ?? [];
  const last = lastJoined.get(first);
  if (last?.parts.length === parts.length && last.parts.every((part, at) => part === parts[at]))
    return last.events;
  const events = parts.flat();
  lastJoined.set(first, { parts, events });
  return events;
}
