import { ReceiveWindow, SendWindow } from "./flow-control.ts";
import type { RequestHead } from "./header-rules.ts";

/** A unary answer. Both blocks are encoded without a table, and so can be used again and again. */
export interface Answer {
  readonly headers: Buffer;
  readonly body: Buffer;
  readonly trailers: Buffer;
}

/** One request, to be answered. After its receiver was told of its end, all that is done to it is in vain. */
export interface ServerStream {
  readonly head: RequestHead;
  /** False once the client has gone or the answer is complete. */
  readonly isOpen: boolean;
  /**
   * Sends a whole answer. Buffers must not be changed afterwards: they may have to wait for the client.
   * Nothing is sent if too much waits already: answer with less then.
   */
  answer(answer: Answer): "taken" | "overfull";
  /** Sends an answer that is nothing but header fields. */
  answerBriefly(headers: Buffer): void;
  /** Begins an answer; {@link write} and {@link end} go on. */
  begin(headers: Buffer): void;
  /** Returns whether more should wait for the receiver's `onDrain`. */
  write(body: Buffer): "sent" | "waits";
  end(trailers?: Buffer): void;
  /** Ends the stream without an answer, or in the middle of one. */
  cancel(): void;
  /** So many bytes of the body are not held any more: the client may send as many again. */
  release(bytes: number): void;
}

/** Learns what the client does on one stream. None of this is called after `onAbort`, or after the answer. */
export interface Receiver {
  /** A part of the body; more follows. The bytes are not written to again, but may be part of much larger memory. */
  onData(chunk: Buffer): void;
  /** The rest of the body, which may be nothing. */
  onEnd(last: Buffer): void;
  /** The client gave up, broke a rule, or is gone. */
  onAbort(): void;
  /** All that was written has been sent. */
  onDrain(): void;
}

/** Takes a request when its header is complete; the receiver is told the rest. */
export type RequestHandler = (stream: ServerStream) => Receiver;

/** Something to be sent when windows allow. */
export interface Part {
  readonly kind: "headers" | "data";
  readonly bytes: Buffer;
  readonly endsStream: boolean;
}

/** What a stream needs of its session. */
export interface StreamOwner {
  readonly isOverfull: boolean;
  answer(stream: Stream, answer: Answer): void;
  queue(stream: Stream, part: Part): void;
  cancel(stream: Stream): void;
  release(stream: Stream, bytes: number): void;
}

const nothing = Buffer.alloc(0);

/** The state of one stream; who changes what is written in session.ts and sender.ts. */
export class Stream implements ServerStream {
  readonly id: number;
  readonly head: RequestHead;
  readonly sendWindow: SendWindow;
  readonly receiveWindow: ReceiveWindow;
  receiver: Receiver | undefined;
  isClosed = false;
  /** Whether the whole answer is given, if perhaps not sent. */
  isAnswered = false;
  /** Whether the client may still send. */
  isRemoteOpen = true;
  /** Bytes of the body that came, and those of them that were not released. */
  receivedBytes = 0;
  heldBytes = 0;
  /** What waits to be sent. Undefined as long as nothing ever had to. */
  pending: Part[] | undefined;
  readonly #owner: StreamOwner;

  constructor(id: number, head: RequestHead, surroundings: StreamSurroundings) {
    this.id = id;
    this.head = head;
    this.sendWindow = new SendWindow(surroundings.sendWindowBytes);
    this.receiveWindow = new ReceiveWindow(surroundings.receiveWindowBytes);
    this.#owner = surroundings.owner;
  }

  get isOpen(): boolean {
    return !this.isClosed && !this.isAnswered;
  }

  answer(answer: Answer): "taken" | "overfull" {
    if (!this.isOpen) return "taken";
    if (this.#owner.isOverfull) return "overfull";
    this.isAnswered = true;
    this.#owner.answer(this, answer);
    return "taken";
  }

  answerBriefly(headers: Buffer): void {
    this.#queue({ kind: "headers", bytes: headers, endsStream: true });
  }

  begin(headers: Buffer): void {
    this.#queue({ kind: "headers", bytes: headers, endsStream: false });
  }

  write(body: Buffer): "sent" | "waits" {
    this.#queue({ kind: "data", bytes: body, endsStream: false });
    return this.pending === undefined || this.pending.length === 0 ? "sent" : "waits";
  }

  end(trailers?: Buffer): void {
    this.#queue(
      trailers === undefined
        ? { kind: "data", bytes: nothing, endsStream: true }
        : { kind: "headers", bytes: trailers, endsStream: true },
    );
  }

  cancel(): void {
    if (!this.isClosed) this.#owner.cancel(this);
  }

  release(bytes: number): void {
    if (!this.isClosed) this.#owner.release(this, bytes);
  }

  #queue(part: Part): void {
    if (!this.isOpen) return;
    this.isAnswered = part.endsStream;
    this.#owner.queue(this, part);
  }
}

export interface StreamSurroundings {
  readonly sendWindowBytes: number;
  readonly receiveWindowBytes: number;
  readonly owner: StreamOwner;
}
