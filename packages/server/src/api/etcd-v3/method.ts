/** A unary method of etcd for both engines. */
import { create, type DescMessage, type DescMethodUnary, toBinary } from "@bufbuild/protobuf";
import type { MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { ErrorTranslator } from "../errors.ts";
import { decode, type UnaryMethod } from "../unary-method.ts";

/** What is known of a call beside its message. */
export interface CallInfo {
  /** Of the message, encoded. */
  readonly bytes: number;
  /** How long the caller is willing to wait, if it said. */
  readonly timeoutMs: number | undefined;
}

const prefixBytes = 5;

/** @param implementation answers with a gRPC frame */
export function framedMethod<Input extends DescMessage>(
  method: DescMethodUnary<Input>,
  translate: ErrorTranslator,
  implementation: (request: MessageShape<Input>, call: CallInfo) => Promise<Buffer>,
): UnaryMethod {
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    translate,
    async call(message, timeoutMs) {
      return implementation(decode(method.input, message), { bytes: message.length, timeoutMs });
    },
  };
}

/** The same for a method that is not called often: it answers with a message. */
export function plainMethod<Input extends DescMessage, Output extends DescMessage>(
  method: DescMethodUnary<Input, Output>,
  translate: ErrorTranslator,
  implementation: (request: MessageShape<Input>, call: CallInfo) => Promise<MessageInitShape<Output>>,
): UnaryMethod {
  return framedMethod(method, translate, async (request, call) =>
    frameOf(method.output, await implementation(request, call)),
  );
}

/** A message as a gRPC frame. */
export function frameOf<Schema extends DescMessage>(schema: Schema, init: MessageInitShape<Schema>): Buffer {
  const message = toBinary(schema, create(schema, init));
  const frame = Buffer.allocUnsafe(prefixBytes + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, prefixBytes);
  return frame;
}
