/**
 * What watches are told, as gRPC frames. The bytes are the very ones that protobuf-es writes.
 *
 * Watches that want the same of the same keys share one array of events: it is encoded once for all of them.
 * Those who are told at the same moment share even the frame.
 */
import type { WatchEvent } from "../../../consensus/member.ts";
import type { AnswerHeader } from "../answers.ts";
import { eventKind, keyValueOf } from "../watch-events.ts";
import { BackwardWriter } from "./backward-writer.ts";
import { HeaderBytes } from "./header-bytes.ts";
import { historyBytes, writeKeyValue } from "./key-value.ts";

type Events = readonly WatchEvent[];

/** What was told together. */
export interface EventBatch {
  readonly events: Events;
}

/** Enough for what is around the events. */
const usualBytes = 160;

/** A frame, and what it was made of. */
interface Told {
  readonly batches: readonly EventBatch[];
  readonly revision: number;
  readonly headerStart: Uint8Array;
  readonly appliedIndex: number;
  readonly headerRevision: number;
  readonly frame: Buffer;
}

export class WatchFrames {
  readonly #headers = new HeaderBytes();
  readonly #known = new WeakMap<Events, Buffer>();
  #last: Told | undefined;

  /**
   * One message with all events. It is nobody's own, and must not be changed.
   *
   * @param revision up to which everything was told
   */
  frame(header: AnswerHeader, batches: readonly EventBatch[], revision: number): Buffer {
    const headerStart = this.#headers.startOf(header.status);
    const { appliedIndex } = header.status;
    const last = this.#last;
    if (
      last?.revision === revision &&
      last.appliedIndex === appliedIndex &&
      last.headerRevision === header.revision &&
      last.headerStart === headerStart &&
      areSame(last.batches, batches)
    )
      return last.frame;
    const frame = this.#encode(header, batches, revision);
    this.#last = { batches, revision, headerStart, appliedIndex, headerRevision: header.revision, frame };
    return frame;
  }

  #encode(header: AnswerHeader, batches: readonly EventBatch[], revision: number): Buffer {
    const encoded = batches.map(({ events }) => this.#encodeEvents(events));
    const writer = new BackwardWriter(encoded.reduce((sum, { length }) => sum + length, usualBytes));
    writer.count(3, revision);
    for (const events of encoded.toReversed()) writer.raw(events);
    this.#headers.write(writer, 1, header);
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

function writeEvent(writer: BackwardWriter, { change, previous }: WatchEvent): void {
  const { length } = writer;
  if (previous !== undefined) writeKeyValue(writer, 3, previous);
  writeKeyValue(writer, 2, keyValueOf(change));
  writer.count(1, eventKind(change));
  writer.message(2, length);
}

function bytesOf({ change: { key, made }, previous }: WatchEvent): number {
  const own = historyBytes + key.length + (made.isDeleted ? 0 : made.value.length);
  return previous === undefined ? own : own + historyBytes + previous.key.length + previous.value.length;
}

function areSame(a: readonly EventBatch[], b: readonly EventBatch[]): boolean {
  return a.length === b.length && a.every(({ events }, at) => events === b[at]?.events);
}
