import { type DescMessage, type DescMethodUnary, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";

/** A unary method as bytes in, bytes out: all that an engine for the wire has to know of it. */
export interface UnaryMethod {
  /** For example "/dkv.v1.DkvAPI/Get". */
  readonly path: string;
  /**
   * Takes a message and resolves with the answer as a gRPC frame, its prefix of five bytes included.
   * Rejects with a DkvError, or with a ConnectError if the bytes are not the expected message.
   */
  call(message: Uint8Array, timeoutMs: number | undefined): Promise<Buffer>;
}

/**
 * How requests are read. What is not known is passed over: kept, as it is by default, a field of two bytes
 * takes some hundred, and a single request could take all memory.
 */
export const requestReading = { readUnknownFields: false } as const;

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

/** Complains in Connect's words, as gRPC servers commonly do, of a message that is none. */
function decode<Input extends DescMessage>(schema: Input, message: Uint8Array): MessageShape<Input> {
  try {
    return fromBinary(schema, message, requestReading);
  } catch (error) {
    throw new ConnectError(
      `parse binary: ${error instanceof Error ? error.message : String(error)}`,
      Code.Internal,
    );
  }
}
