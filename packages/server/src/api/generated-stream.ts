/** A method that answers one request with many messages, written as a generator. */
import { Code, ConnectError } from "@connectrpc/connect";
import type { StreamCall, StreamClient, StreamMethod } from "./stream-method.ts";
import type { RequestFields } from "./request-fields.ts";

/** What a generator knows of its call beside the message. */
export interface Surroundings {
  readonly fields: RequestFields;
  /** Aborted when nobody waits for the next frame any more: for those that wait for something themselves. */
  readonly signal: AbortSignal;
}

/**
 * Makes gRPC frames, one after the other; the next one when the client has taken those before. Returned from
 * when the client has gone.
 */
export type FrameGenerator = (message: Buffer, surroundings: Surroundings) => AsyncGenerator<Buffer>;

export function generatedStream(
  terms: Omit<StreamMethod, "open" | "requests">,
  generate: FrameGenerator,
): StreamMethod {
  return { ...terms, requests: "one", open: (client, fields) => new GeneratedCall(client, generate, fields) };
}

class GeneratedCall implements StreamCall {
  readonly isFull = false;
  readonly #client: StreamClient;
  readonly #generate: FrameGenerator;
  readonly #fields: RequestFields;
  readonly #gone = new AbortController();
  #message: Buffer | undefined;
  #isOver = false;
  #goOn: () => void = () => undefined;

  constructor(client: StreamClient, generate: FrameGenerator, fields: RequestFields) {
    this.#client = client;
    this.#generate = generate;
    this.#fields = fields;
  }

  onMessage(message: Buffer): void {
    if (this.#message !== undefined)
      throw unimplemented("protocol error: received extra input message for server-streaming method");
    // The bytes belong to whoever has read them.
    this.#message = Buffer.from(message);
  }

  onPause(): void {}

  onEnd(): void {
    if (this.#message === undefined)
      this.#client.end(unimplemented("protocol error: missing input message for server-streaming method"));
    else void this.#run(this.#generate(this.#message, { fields: this.#fields, signal: this.#gone.signal }));
  }

  onFault(): void {
    this.onAbort();
    this.#client.end();
  }

  onDrain(): void {
    this.#goOn();
  }

  onAbort(): void {
    this.#isOver = true;
    this.#gone.abort();
    this.#goOn();
  }

  async #run(frames: AsyncGenerator<Buffer>): Promise<void> {
    try {
      for await (const frame of frames) {
        if (this.#isOver) return;
        if (this.#client.send(frame) === "waits") await this.#drained();
      }
      this.#client.end();
    } catch (error) {
      this.#client.end(error);
    }
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#goOn = resolve;
      if (this.#isOver) resolve();
    });
  }
}

const unimplemented = (message: string): ConnectError => new ConnectError(message, Code.Unimplemented);
