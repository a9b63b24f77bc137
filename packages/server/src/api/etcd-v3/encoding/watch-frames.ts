/**
 * What watches are told, as gRPC frames. The bytes are the very ones that protobuf-es writes.
 *
 * Watches that want the same of the same keys share one array of events: it is encoded once for all of them.
 * Those who are told at the same moment under the same number share even the frame.
 */
import type { Revision } from "@dkv/store";
import type { MemberStatus, WatchEvent } from "../../../consensus/member.ts";
import { BackwardWriter } from "../../dkv-v1/encoding/backward-writer.ts";
import { keyValueOf } from "../../dkv-v1/watch-events.ts";
import { HeaderBytes } from "./header.ts";
import { historyBytes, writeKeyValue } from "./key-value.ts";

type Events = readonly WatchEvent[];

/** The answer that stands for no watch, or for all of the stream. */
export const noWatchId = -1n;

/** An answer without events. */
export interface ControlAnswer {
  readonly watchId: bigint;
  readonly revision: Revision;
  readonly created?: boolean;
  readonly canceled?: boolean;
  readonly compactRevision?: Revision;
  readonly cancelReason?: string;
}

export interface EventsAnswer {
  readonly watchId: bigint;
  /** Up to which everything was told. */
  readonly revision: Revision;
  readonly batches: readonly { readonly events: Events }[];
}

/** Enough for what is around the events. */
const usualBytes = 160;

/** A frame, and what it was made of. */
interface Told extends EventsAnswer {
  readonly term: number;
  readonly frame: Buffer;
}

export class WatchFrames {
  readonly #headers = new HeaderBytes();
  readonly #known = new WeakMap<Events, Buffer>();
  #last: Told | undefined;

  control(status: MemberStatus, answer: ControlAnswer): Buffer {
    const writer = new BackwardWriter(usualBytes);
    writer.bytes(6, Buffer.from(answer.cancelReason ?? ""));
    writer.count(5, answer.compactRevision ?? 0);
    writer.bool(4, answer.canceled ?? false);
    writer.bool(3, answer.created ?? false);
    writer.lease(2, answer.watchId);
    this.#headers.write(writer, 1, { status, revision: answer.revision });
    return writer.finishFrame();
  }

  /** One message with all events. It is nobody's own, and must not be changed. */
  events(status: MemberStatus, answer: EventsAnswer): Buffer {
    const last = this.#last;
    if (
      last?.revision === answer.revision &&
      last.watchId === answer.watchId &&
      last.term === status.term &&
      areSame(last.batches, answer.batches)
    )
      return last.frame;
    const encoded = answer.batches.map(({ events }) => this.#encodeEvents(events));
    const frame = this.#frame(status, answer, { encoded, isFragment: false });
    this.#last = { ...answer, term: status.term, frame };
    return frame;
  }

  /** The same events as messages that have so many bytes at most, but one event in any case. */
  fragments(status: MemberStatus, answer: EventsAnswer, maxBytes: number): Buffer {
    const encoded = answer.batches.flatMap(({ events }) => events.map(encodeEvent));
    const frames: Buffer[] = [];
    let part: Buffer[] = [];
    let bytes = usualBytes;
    for (const event of encoded) {
      if (part.length > 0 && bytes + event.length >= maxBytes) {
        frames.push(this.#frame(status, answer, { encoded: part, isFragment: true }));
        part = [];
        bytes = usualBytes;
      }
      part.push(event);
      bytes += event.length;
    }
    frames.push(this.#frame(status, answer, { encoded: part, isFragment: false }));
    return Buffer.concat(frames);
  }

  #frame(
    status: MemberStatus,
    { watchId, revision }: EventsAnswer,
    { encoded, isFragment }: { readonly encoded: readonly Buffer[]; readonly isFragment: boolean },
  ): Buffer {
    const writer = new BackwardWriter(encoded.reduce((sum, { length }) => sum + length, usualBytes));
    for (const events of encoded.toReversed()) writer.raw(events);
    writer.bool(7, isFragment);
    writer.lease(2, watchId);
    this.#headers.write(writer, 1, { status, revision });
    return writer.finishFrame();
  }

  /** As fields of the message. */
  #encodeEvents(events: Events): Buffer {
    const known = this.#known.get(events);
    if (known !== undefined) return known;
    const writer = new BackwardWriter(events.reduce((sum, event) => sum + bytesOf(event), 0));
    for (const event of events.toReversed()) writeEvent(writer, event);
    const encoded = writer.finish();
    this.#known.set(events, encoded);
    return encoded;
  }
}

function encodeEvent(event: WatchEvent): Buffer {
  const writer = new BackwardWriter(bytesOf(event));
  writeEvent(writer, event);
  return writer.finish();
}

function writeEvent(writer: BackwardWriter, { change, previous }: WatchEvent): void {
  const { length } = writer;
  if (previous !== undefined) writeKeyValue(writer, 3, previous);
  writeKeyValue(writer, 2, keyValueOf(change));
  writer.bool(1, change.made.isDeleted);
  writer.message(11, length);
}

function bytesOf({ change: { key, made }, previous }: WatchEvent): number {
  const own = historyBytes + key.length + (made.isDeleted ? 0 : made.value.length);
  return previous === undefined ? own : own + historyBytes + previous.key.length + previous.value.length;
}

function areSame(a: EventsAnswer["batches"], b: EventsAnswer["batches"]): boolean {
  return a.length === b.length && a.every(({ events }, at) => events === b[at]?.events);
}
