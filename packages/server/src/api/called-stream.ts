/**
 * Calls a method that streams from within: for Connect, for JSON, and for methods that are made of others.
 */
import { ConnectError } from "@connectrpc/connect";
import { prefixBytes } from "./arriving-message.ts";
import type { StreamCall, StreamClient, StreamMethod } from "./stream-method.ts";
import type { RequestFields } from "./request-fields.ts";

export interface StreamCaller {
  readonly fields: RequestFields;
  /** Aborted when the caller wants no more; the stream then ends with its reason. */
  readonly signal: AbortSignal;
}

/**
 * Gives the method what is asked, as far as it takes more, and yields its answers, without their prefixes.
 * Throws what the stream ends with, which is not translated yet.
 */
export async function* callStream(
  method: StreamMethod,
  requests: AsyncIterable<Uint8Array>,
  { fields, signal }: StreamCaller,
): AsyncGenerator<Buffer> {
  const client = new Caller();
  const call = method.open(client, fields);
  const abort = (): void => {
    client.abort(signal.reason);
  };
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  void forward(requests, { call, client });
  try {
    for (;;) {
      const message = await client.next();
      if (message === undefined) return;
      yield message;
      if (client.isDrained) call.onDrain();
    }
  } finally {
    signal.removeEventListener("abort", abort);
    client.end();
    call.onAbort();
  }
}

async function forward(
  requests: AsyncIterable<Uint8Array>,
  { call, client }: { readonly call: StreamCall; readonly client: Caller },
): Promise<void> {
  try {
    for await (const request of requests) {
      while (call.isFull && !client.isOver) await client.resumed();
      if (client.isOver) return;
      call.onMessage(Buffer.from(request));
      call.onPause();
    }
    if (!client.isOver) call.onEnd();
  } catch (error) {
    client.end(error);
  }
}

/** More messages than these have the method wait until they are taken. */
const fewMessages = 16;

class Caller implements StreamClient {
  isOver = false;
  #messages: Buffer[] = [];
  #fault: Error | undefined;
  #wake: () => void = () => undefined;
  #onResume: () => void = () => undefined;

  get isDrained(): boolean {
    return this.#messages.length === 0;
  }

  send(frames: Buffer): "sent" | "waits" {
    for (let at = 0; at < frames.length; ) {
      const end = at + prefixBytes + frames.readUInt32BE(at + 1);
      this.#messages.push(frames.subarray(at + prefixBytes, end));
      at = end;
    }
    this.#wake();
    return this.#messages.length > fewMessages ? "waits" : "sent";
  }

  end(fault?: unknown): void {
    if (this.isOver) return;
    this.isOver = true;
    if (fault !== undefined) this.#fault = fault instanceof Error ? fault : ConnectError.from(fault);
    this.#wake();
    this.#onResume();
  }

  /** Nobody wants what was not taken. */
  abort(reason: unknown): void {
    this.#messages = [];
    this.end(reason);
  }

  resume(): void {
    this.#onResume();
  }

  /** Resolves when there may be room for more messages. */
  resumed(): Promise<void> {
    return new Promise((resolve) => {
      this.#onResume = resolve;
    });
  }

  /** The next message for the client; undefined at the end. Throws what the stream ends with. */
  async next(): Promise<Buffer | undefined> {
    while (this.#messages.length === 0 && !this.isOver)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    const message = this.#messages.shift();
    if (message === undefined && this.#fault !== undefined) throw this.#fault;
    return message;
  }
}
