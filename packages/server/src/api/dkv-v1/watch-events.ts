/** What a watch is asked for, and what it tells, on whichever way its client has come. */
import { EventKind, type WatchRequest } from "@dkv/protocol/dkv/v1/dkv";
import { type Change, fromByteString, type KeyValue, noLease } from "@dkv/store";
import type { WatchMessage, WatchSpec, WatchStream } from "../../consensus/member.ts";
import type { Cancel, Clock } from "../../platform/clock.ts";
import { DkvError } from "../../platform/errors.ts";
import { keyInterval } from "./key-bytes.ts";
import { revisionOf } from "./numbers.ts";

export type EventsMessage = Extract<WatchMessage, { kind: "events" }>;

/** Events of one message, after which small revisions begin a new one. */
const fewEvents = 100;

/** The only watch of its stream. */
export const watchId = 1;

/** Some 24 days: no timer waits longer. */
const maxProgressSeconds = 2_000_000;

/** Throws a DkvError if the keys are none. */
export function specOf({ keys, startRevision, returnPrevious, exclude }: WatchRequest): WatchSpec {
  return {
    interval: keyInterval(keys),
    startRevision: revisionOf(startRevision),
    wantPrevious: returnPrevious,
    wantSets: !exclude.includes(EventKind.SET),
    wantDeletes: !exclude.includes(EventKind.DELETE),
  };
}

/** Asks how far the watch has come when nothing was told for a while. */
export class Progress {
  readonly #stream: WatchStream;
  readonly #periodMs: number;
  readonly #clock: Clock;
  #cancel: Cancel | undefined;

  /** @param seconds 0 for never */
  constructor(stream: WatchStream, seconds: number, clock: Clock) {
    this.#stream = stream;
    this.#periodMs = 1000 * Math.min(seconds, maxProgressSeconds);
    this.#clock = clock;
  }

  /** Something was told, or the watch begins. */
  wait(): void {
    if (this.#periodMs === 0) return;
    this.stop();
    this.#cancel = this.#clock.after(this.#periodMs, () => {
      this.#stream.requestProgress();
    });
  }

  stop(): void {
    this.#cancel?.();
  }
}

/** What becomes one message: events that came together, as long as they are few. Each other message is alone. */
export function groupsOf(messages: readonly WatchMessage[]): readonly Group[] {
  const [first] = messages;
  // Nearly always there is one.
  if (messages.length === 1 && first?.kind === "events") return [{ kind: "events", list: [first] }];
  const groups: Group[] = [];
  let last: EventsMessage[] | undefined;
  let events = 0;
  for (const message of messages) {
    if (message.kind !== "events") {
      groups.push(message);
      last = undefined;
      continue;
    }
    events += message.events.length;
    if (last !== undefined && events <= fewEvents) {
      last.push(message);
    } else {
      last = [message];
      events = message.events.length;
      groups.push({ kind: "events", list: last });
    }
  }
  return groups;
}

export type Group =
  | { readonly kind: "events"; readonly list: readonly EventsMessage[] }
  | Exclude<WatchMessage, EventsMessage>;

/** What everything was told up to. */
export const throughOf = (list: readonly EventsMessage[]): number => list.at(-1)?.revision ?? 0;

export const eventKind = ({ made }: Change): EventKind => (made.isDeleted ? EventKind.DELETE : EventKind.SET);

/** A key as a change has left it. */
export function keyValueOf({ key: text, made }: Change): KeyValue {
  const key = fromByteString(text);
  return made.isDeleted
    ? { key, value: nothing, createRevision: 0, modRevision: made.modRevision, version: 0, lease: noLease }
    : { ...made, key, value: fromByteString(made.value) };
}

const nothing = new Uint8Array();

export function compacted(compactRevision: number): DkvError {
  return new DkvError(
    "compacted",
    `changes that were to be told next were given up by a compaction: list the keys, then watch from the ` +
      `revision behind that of the list; the oldest one left is ${String(compactRevision)}`,
    { compactRevision },
  );
}
