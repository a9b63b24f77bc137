import type { ErrorTranslator } from "./errors.ts";
import type { RequestFields } from "./request-fields.ts";
import type { SizeLimit } from "./unary-method.ts";

/** A method that streams, as bytes in, bytes out: all that an engine for the wire has to know of it. */
export interface StreamMethod {
  /** For example "/dkv.v1.DkvAPI/Pipe". */
  readonly path: string;
  /** One has to arrive in time, before the method can begin; of many each one has, after any pause. */
  readonly requests: "one" | "many";
  /** As that of a unary method. */
  readonly translate?: ErrorTranslator;
  /** As that of a unary method. */
  readonly limit?: SizeLimit;
  /** A client begins a stream. */
  open(client: StreamClient, fields: RequestFields): StreamCall;
  /** The same, of one who may not; without it, the stream ends with the error. */
  refused?(client: StreamClient, error: unknown): StreamCall;
}

/** What the method does on one stream. */
export interface StreamCall {
  /** Whether no more should come for now. Asked after every message; {@link StreamClient.resume} goes on. */
  readonly isFull: boolean;
  /** A message has come. Throws what the stream is to end with. */
  onMessage(message: Buffer): void;
  /** All that has arrived so far was given to {@link onMessage}. */
  onPause(): void;
  /** There will be no more messages. The method ends the stream when it has nothing more to say. */
  onEnd(): void;
  /**
   * Of a method that says things without being asked: the stream is to end now, with an error that it knows.
   * Called instead of {@link onEnd}, or after it. Who only answers ends by itself.
   */
  onFault?(): void;
  /** The client takes more again. */
  onDrain(): void;
  /** The client has gone. */
  onAbort(): void;
}

/** Who asked. After the end all that is done to it is in vain. */
export interface StreamClient {
  /** Sends gRPC frames. Returns whether more should wait for {@link StreamCall.onDrain}. */
  send(frames: Buffer): "sent" | "waits";
  /** Ends the stream: well, unless there is an error, or there was one before. */
  end(error?: unknown): void;
  /** There is room for more messages again. */
  resume(): void;
}
