import type { Header } from "@dkv/http2";
import { MessageReader } from "../grpc/message-reader.ts";
import { assert } from "../assert.ts";
import type { StreamedCall } from "../http2/call.ts";
import type { Connection } from "../http2/connection.ts";
import type { Upload } from "../http2/upload.ts";
import { nowMs, sleep } from "../platform/clock.ts";
import type { Job } from "./closed-loop.ts";
import { type Piping, RequestBody } from "./work.ts";

/** How long an operation rests after an error. */
const restMs = 50;

/** Operations that are sent together go into one frame, up to so much. */
const packBytes = 16_384;

/** A client, as far as it can be told from the others: it always has one operation open. */
interface Slot {
  readonly body: RequestBody;
  isOpen: boolean;
  startedMs: number;
}

/** Clients that share one stream: as soon as an operation is answered well, the next one is sent. */
export class PipedClients implements StreamedCall {
  readonly headers: readonly Header[];
  readonly #job: Job;
  readonly #piping: Piping;
  readonly #connection: Connection;
  /** By the number of its operation, which counts from 1. */
  readonly #slots: readonly Slot[];
  readonly #reader = new MessageReader((source, start, end) => {
    this.#onAnswer(source, start, end);
  });
  readonly #pack = Buffer.alloc(packBytes);
  readonly #done = Promise.withResolvers<void>();
  #packed = 0;
  #open = 0;
  #resting = 0;
  #upload: Upload | undefined;
  #isOver: () => boolean = () => false;

  constructor(job: Job, connection: Connection, clients: number) {
    const { piped } = job.method;
    assert(piped !== undefined, "operations share a stream only where there is such a thing");
    this.#job = job;
    this.#piping = piped;
    this.#connection = connection;
    this.headers = job.headers;
    this.#slots = Array.from({ length: clients }, (_, at) => ({
      body: new RequestBody({ encode: (key, value) => piped.encode(at + 1, key, value) }, job.data),
      isOpen: false,
      startedMs: 0,
    }));
  }

  /** Resolves when it is over and all that was sent is answered, or the stream has ended. Never rejects. */
  async run(isOver: () => boolean): Promise<void> {
    this.#isOver = isOver;
    try {
      this.#upload = this.#connection.open(this);
    } catch (error) {
      this.#job.recorder.failed(error instanceof Error ? error.message : String(error));
      return;
    }
    for (const slot of this.#slots) this.#send(slot, nowMs());
    this.#sendPacked();
    this.#connection.flush();
    await this.#done.promise;
  }

  onData(source: Buffer, start: number, end: number): void {
    this.#reader.accept(source, start, end);
    this.#sendPacked();
    this.#endIfDone();
  }

  onEnd(source: Buffer, start: number, end: number): void {
    const { code, message } = this.#job.statuses.read(source, start, end);
    if (code === 0 && this.#open === 0 && this.#reader.isBetweenMessages) this.#done.resolve();
    else
      this.onFailure(code === 0 ? "the stream ended early" : `gRPC status ${code ?? "missing"}: ${message}`);
  }

  onFailure(reason: string): void {
    for (const slot of this.#slots) if (slot.isOpen) this.#job.recorder.failed(reason);
    if (this.#open === 0) this.#job.recorder.failed(reason);
    this.#upload = undefined;
    this.#done.resolve();
  }

  #onAnswer(source: Buffer, start: number, end: number): void {
    const { id, problem } = this.#piping.read(source, start, end);
    const slot = this.#slots[id - 1];
    if (slot === undefined || !slot.isOpen) {
      this.#job.recorder.failed("an answer to no operation");
      return;
    }
    slot.isOpen = false;
    this.#open -= 1;
    if (problem !== undefined) {
      this.#job.recorder.failed(problem);
      void this.#rest(slot);
      return;
    }
    const endedMs = this.#connection.receivedAtMs;
    this.#job.recorder.succeeded(slot.startedMs, endedMs);
    if (!this.#isOver()) this.#send(slot, endedMs);
  }

  async #rest(slot: Slot): Promise<void> {
    this.#resting += 1;
    await sleep(restMs);
    this.#resting -= 1;
    if (this.#upload === undefined) return;
    if (!this.#isOver()) this.#send(slot, nowMs());
    this.#sendPacked();
    this.#endIfDone();
    this.#connection.flush();
  }

  #send(slot: Slot, startedMs: number): void {
    const { body } = slot;
    const { data } = this.#job;
    if (this.#packed + body.bytes > packBytes) this.#sendPacked();
    body.write(this.#pack, this.#packed, data.nextKey(false));
    this.#packed += body.bytes;
    slot.isOpen = true;
    slot.startedMs = startedMs;
    this.#open += 1;
  }

  #sendPacked(): void {
    if (this.#packed === 0) return;
    this.#upload?.send(this.#pack.subarray(0, this.#packed));
    this.#packed = 0;
  }

  #endIfDone(): void {
    if (this.#open > 0 || this.#resting > 0) return;
    this.#upload?.end();
    this.#upload = undefined;
  }
}
