import { frameFlag, frameHeadBytes, frameType, initialSettings, writeFrameHead } from "../frames.ts";
import { noTableAnnouncement } from "../hpack/encoder.ts";
import { Output } from "../output.ts";
import { SendWindow } from "./flow-control.ts";
import type { Backlog } from "./backlog.ts";
import type { Answer, Part, Stream } from "./stream.ts";

/** What one turn gathers at most before it is written. */
const turnBytes = 256 * 1024;
/** Less than this in the time that a client has to take something is next to nothing. */
const leastTakenBytes = 16 * 1024;
/** Frames are never longer than every peer takes. */
const maxPayloadBytes = initialSettings.frameBytes;
const nothing = Buffer.alloc(0);

export interface SenderDeps {
  /** Returns false when no more should be written until {@link Sender.onSocketDrain}. */
  readonly write: (bytes: Buffer) => boolean;
  /** The end of the answer has been put into the output. */
  readonly onAnswered: (stream: Stream) => void;
  /** Answers have begun to wait. */
  readonly onBacklog: () => void;
  /** What waits here and at all other sessions. */
  readonly backlog: Backlog;
}

/**
 * The half of a session that sends.
 *
 * What is answered during one turn of the event loop leaves in one write, after the promises that the turn
 * settles: they are what makes the answers. Answers that windows or the socket do not admit wait at their
 * streams, which take turns, one frame each.
 */
export class Sender {
  readonly #deps: SenderDeps;
  readonly #output: Output;
  readonly #window = new SendWindow(initialSettings.windowBytes);
  /** Streams that have something to send and a window for it. */
  readonly #ready = new Set<Stream>();
  /** Those that would be ready if the connection's window were open. */
  readonly #waiting = new Set<Stream>();
  #queuedBytes = 0;
  #watchedBytes = 0;
  #isCongested = false;
  #isScheduled = false;
  #mustAnnounceNoTable = false;
  readonly #flush = (): void => {
    this.#isScheduled = false;
    this.#output.flush();
  };
  readonly #flushAfterPromises = (): void => {
    process.nextTick(this.#flush);
  };

  constructor(deps: SenderDeps) {
    this.#deps = deps;
    this.#output = new Output((bytes) => {
      if (!deps.write(bytes)) this.#congest();
    });
  }

  /** Bytes of answers that wait. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get hasBacklog(): boolean {
    return this.#isCongested || this.#queuedBytes > 0;
  }

  get isCongested(): boolean {
    return this.#isCongested;
  }

  /** Whether the client has taken next to nothing since the last call. */
  hasStalled(): boolean {
    const taken = this.#output.flushedBytes - this.#watchedBytes;
    this.#watchedBytes = this.#output.flushedBytes;
    return taken < leastTakenBytes;
  }

  /** Sends frames that no window holds back. */
  control(frames: Uint8Array): void {
    this.#output.append(frames);
    this.#schedule();
  }

  answer(stream: Stream, { headers, body, trailers }: Answer): void {
    if (!this.#admits(stream, body.length)) {
      this.queue(stream, { kind: "headers", bytes: headers, endsStream: false });
      this.queue(stream, { kind: "data", bytes: body, endsStream: false });
      this.queue(stream, { kind: "headers", bytes: trailers, endsStream: true });
      return;
    }
    const { id } = stream;
    const output = this.#output;
    let at = output.reserve(3 * frameHeadBytes + headers.length + body.length + trailers.length);
    const { target } = output;
    at = writeFrame(target, at, { type: frameType.headers, flags: frameFlag.endHeaders, id, of: headers });
    at = writeFrame(target, at, { type: frameType.data, flags: 0, id, of: body });
    writeFrame(target, at, { type: frameType.headers, flags: endOfAnswer, id, of: trailers });
    stream.sendWindow.take(body.length);
    this.#window.take(body.length);
    this.#schedule();
    this.#deps.onAnswered(stream);
  }

  /** Sends a part when what came before it is sent. */
  queue(stream: Stream, part: Part): void {
    stream.pending ??= [];
    stream.pending.push(part);
    this.#waits(part.bytes.length);
    this.#ready.add(stream);
    this.#pump();
    if (this.hasBacklog) this.#deps.onBacklog();
  }

  /** What the stream still had to send is not wanted any more. */
  forget(stream: Stream): void {
    this.#ready.delete(stream);
    this.#waiting.delete(stream);
    for (const part of stream.pending ?? []) this.#waits(-part.bytes.length);
    stream.pending = undefined;
  }

  /** The window of a stream has changed. */
  onStreamWindow(stream: Stream): void {
    if (stream.pending === undefined || stream.pending.length === 0) return;
    this.#ready.add(stream);
    this.#pump();
  }

  /** Returns false if the window would be too large. */
  growWindow(bytes: number): boolean {
    if (!this.#window.grow(bytes)) return false;
    this.#pump();
    return true;
  }

  onSocketDrain(): void {
    this.#isCongested = false;
    this.#pump();
  }

  /** The peer made its table smaller, and wants to hear that we know. Source: RFC 7541 §4.2. */
  announceNoTable(): void {
    this.#mustAnnounceNoTable = true;
  }

  flush(): void {
    this.#output.flush();
  }

  #congest(): void {
    this.#isCongested = true;
    this.#deps.onBacklog();
  }

  #admits(stream: Stream, bytes: number): boolean {
    return (
      bytes <= stream.sendWindow.bytes &&
      bytes <= this.#window.bytes &&
      bytes <= maxPayloadBytes &&
      this.#output.unflushedBytes < turnBytes &&
      !this.#isCongested &&
      !this.#mustAnnounceNoTable &&
      stream.pending === undefined
    );
  }

  #pump(): void {
    do {
      // A stream that is put back is visited again, after the others.
      for (const stream of this.#ready) {
        if (this.#isCongested) return;
        this.#ready.delete(stream);
        this.#sendPart(stream);
        if (this.#output.unflushedBytes >= turnBytes) this.#output.flush();
      }
    } while (this.#admitWaiting());
  }

  /** As many as can send a frame: a window that opens byte by byte must not have us visit them all. */
  #admitWaiting(): boolean {
    let room = this.#window.bytes;
    for (const stream of this.#waiting) {
      if (room <= 0) break;
      this.#waiting.delete(stream);
      this.#ready.add(stream);
      room -= maxPayloadBytes;
    }
    return this.#ready.size > 0;
  }

  #sendPart(stream: Stream): void {
    const part = stream.pending?.[0];
    if (part === undefined) return;
    if (part.kind === "headers") {
      this.#sendHeaders(stream, part);
    } else {
      // A window may be below 0; the end of an answer without a body passes any.
      const room = Math.max(0, Math.min(stream.sendWindow.bytes, this.#window.bytes));
      const bytes = Math.min(part.bytes.length, maxPayloadBytes, room);
      if (bytes === 0 && part.bytes.length > 0) {
        if (stream.sendWindow.bytes > 0) this.#waiting.add(stream);
        return;
      }
      this.#sendData(stream, part, bytes);
    }
    this.#schedule();
    if (stream.pending !== undefined && stream.pending.length > 0) {
      this.#ready.add(stream);
    } else if (part.endsStream) {
      this.#deps.onAnswered(stream);
    } else {
      stream.receiver?.onDrain();
    }
  }

  #sendData(stream: Stream, part: Part, bytes: number): void {
    const isWhole = bytes === part.bytes.length;
    const of = isWhole ? part.bytes : part.bytes.subarray(0, bytes);
    const flags = isWhole && part.endsStream ? frameFlag.endStream : 0;
    const at = this.#output.reserve(frameHeadBytes + bytes);
    writeFrame(this.#output.target, at, { type: frameType.data, flags, id: stream.id, of });
    stream.sendWindow.take(bytes);
    this.#window.take(bytes);
    this.#waits(-bytes);
    if (isWhole) stream.pending?.shift();
    else stream.pending?.splice(0, 1, { ...part, bytes: part.bytes.subarray(bytes) });
  }

  #sendHeaders(stream: Stream, part: Part): void {
    const announcement = this.#mustAnnounceNoTable ? Buffer.from([noTableAnnouncement]) : nothing;
    this.#mustAnnounceNoTable = false;
    const block = announcement.length === 0 ? part.bytes : Buffer.concat([announcement, part.bytes]);
    for (let start = 0; start === 0 || start < block.length; start += maxPayloadBytes) {
      const of = block.subarray(start, start + maxPayloadBytes);
      const isLast = start + maxPayloadBytes >= block.length;
      const type = start === 0 ? frameType.headers : frameType.continuation;
      const endStream = start === 0 && part.endsStream ? frameFlag.endStream : 0;
      const at = this.#output.reserve(frameHeadBytes + of.length);
      const flags = (isLast ? frameFlag.endHeaders : 0) | endStream;
      writeFrame(this.#output.target, at, { type, flags, id: stream.id, of });
    }
    this.#waits(-part.bytes.length);
    stream.pending?.shift();
  }

  #waits(bytes: number): void {
    this.#queuedBytes += bytes;
    this.#deps.backlog.change(bytes);
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // Node runs its ticks before the promises of a turn, except those that promises ask for.
    queueMicrotask(this.#flushAfterPromises);
  }
}

const endOfAnswer = frameFlag.endHeaders | frameFlag.endStream;

interface Whole {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly of: Buffer;
}

/** Writes a frame with its payload, and returns the offset after it. */
function writeFrame(target: Buffer, offset: number, { type, flags, id, of }: Whole): number {
  const start = writeFrameHead(target, offset, { type, flags, streamId: id, payloadBytes: of.length });
  target.set(of, start);
  return start + of.length;
}
