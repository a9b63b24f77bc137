import { type DescMessage, type DescMethodUnary, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { DkvError } from "../platform/errors.ts";
import type { ErrorTranslator } from "./errors.ts";
import type { RequestFields } from "./request-fields.ts";

/** How large a message may be. */
export interface SizeLimit {
  readonly maxBytes: number;
  /** What a client is told whose message has, or will have, so many. */
  tooLarge(this: void, bytes: number): Error;
}

/** A unary method as bytes in, bytes out: all that an engine for the wire has to know of it. */
export interface UnaryMethod {
  /** For example "/dkv.v1.DkvAPI/Get". */
  readonly path: string;
  /**
   * Takes a message and resolves with the answer as a gRPC frame, its prefix of five bytes included.
   * Rejects with a DkvError, or with a ConnectError if the bytes are not the expected message.
   */
  call(message: Uint8Array, timeoutMs: number | undefined, fields: RequestFields): Promise<Buffer>;
  /** Where plain gRPC has another limit than other protocols. */
  readonly limit?: SizeLimit;
  /** What its clients are told of errors, where that is not what those of dkv's own API are told. */
  readonly translate?: ErrorTranslator;
}

/**
 * How requests are read. What is not known is passed over: kept, as it is by default, a field of two bytes
 * takes some hundred, and a single request could take all memory. Messages may nest deeper than any that is
 * taken does, so that it is the method that says what is wrong with them.
 */
export const requestReading = { readUnknownFields: false, recursionLimit: 400 } as const;

/** Wraps an implementation that takes a decoded message. */
export function unaryMethod<Input extends DescMessage>(
  method: DescMethodUnary<Input>,
  implementation: (request: MessageShape<Input>, timeoutMs: number | undefined) => Promise<Buffer>,
): UnaryMethod {
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    async call(message, timeoutMs) {
      return implementation(decode(method.input, message), timeoutMs);
    },
  };
}

/** Throws a DkvError, or a ConnectError: complains in Connect's words, as gRPC servers commonly do, of a message that is none. */
export function decode<Input extends DescMessage>(schema: Input, message: Uint8Array): MessageShape<Input> {
  try {
    return fromBinary(schema, message, requestReading);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (message.includes("recursion"))
      throw new DkvError("invalidRequest", "the messages of the request are nested too deep");
    throw new ConnectError(`parse binary: ${message}`, Code.Internal);
  }
}
