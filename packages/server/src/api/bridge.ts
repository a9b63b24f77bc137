/**
 * Methods that take and give bytes, for Connect: what does not come on the fast path is answered by the same
 * functions. It costs a message to be read and written once more; hardly anybody comes this way.
 */
import {
  type DescMessage,
  type DescMethod,
  type DescMethodBiDiStreaming,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  type HandlerContext,
  type MethodImpl,
} from "@connectrpc/connect";
import { prefixBytes } from "./arriving-message.ts";
import { callStream } from "./called-stream.ts";
import { fieldsOf } from "./request-fields.ts";
import type { StreamMethod } from "./stream-method.ts";
import { requestReading, type UnaryMethod } from "./unary-method.ts";

/** Methods of a service, and what they are written as. */
export interface ByteMethods {
  readonly unary: readonly UnaryMethod[];
  readonly streams: readonly StreamMethod[];
}

/** Registers those of the described methods that there are. */
export function bridgeMethods(
  router: ConnectRouter,
  described: readonly DescMethod[],
  { unary, streams }: ByteMethods,
): void {
  const unaries = new Map(unary.map((method) => [method.path, method]));
  const streaming = new Map(streams.map((method) => [method.path, method]));
  for (const method of described) {
    const path = `/${method.parent.typeName}/${method.name}`;
    const [one, many] = [unaries.get(path), streaming.get(path)];
    if (one !== undefined && isUnary(method)) router.rpc(method, unaryOf(method, one));
    if (many !== undefined && isUnary(method))
      router.rpc(method, (request, context) => first(method, many, { request, context }));
    if (many !== undefined && isServerStreaming(method))
      router.rpc(method, (request, context) =>
        answers(method, { stream: many, requests: only(request) }, context),
      );
    if (many !== undefined && isBidi(method))
      router.rpc(method, (requests, context) => answers(method, { stream: many, requests }, context));
  }
}

export const isUnary = (method: DescMethod): method is DescMethodUnary => method.methodKind === "unary";
export const isServerStreaming = (method: DescMethod): method is DescMethodServerStreaming =>
  method.methodKind === "server_streaming";
export const isBidi = (method: DescMethod): method is DescMethodBiDiStreaming =>
  method.methodKind === "bidi_streaming";

function unaryOf({ input, output }: DescMethodUnary, method: UnaryMethod): MethodImpl<DescMethodUnary> {
  return async (request, context) => {
    const frame = await method.call(toBinary(input, request), context.timeoutMs(), fieldsOf(context));
    return messageIn(output, frame.subarray(prefixBytes));
  };
}

/**
 * Of a method that may wait, and so is a stream of one answer: it has to be told when its client has gone.
 */
async function first(
  method: DescMethodUnary,
  stream: StreamMethod,
  { request, context }: { readonly request: MessageShape<DescMessage>; readonly context: HandlerContext },
): Promise<MessageShape<DescMessage>> {
  for await (const answer of answers(method, { stream, requests: only(request) }, context)) return answer;
  throw new ConnectError("the method has given no answer", Code.Internal);
}

type Streamed<Input extends DescMessage> = {
  readonly stream: StreamMethod;
  readonly requests: AsyncIterable<MessageShape<Input>>;
};

async function* answers<Input extends DescMessage, Output extends DescMessage>(
  { input, output }: { readonly input: Input; readonly output: Output },
  { stream, requests }: Streamed<Input>,
  context: Pick<HandlerContext, "signal" | "requestHeader" | "values">,
): AsyncGenerator<MessageShape<Output>> {
  const caller = { signal: context.signal, fields: fieldsOf(context) };
  for await (const message of callStream(stream, bytesOf(input, requests), caller))
    yield messageIn(output, message);
}

async function* bytesOf<Input extends DescMessage>(
  input: Input,
  requests: AsyncIterable<MessageShape<Input>>,
): AsyncGenerator<Uint8Array> {
  for await (const request of requests) yield toBinary(input, request);
}

async function* only<Item>(item: Item): AsyncGenerator<Item> {
  yield await Promise.resolve(item);
}

const messageIn = <Schema extends DescMessage>(schema: Schema, bytes: Uint8Array): MessageShape<Schema> =>
  fromBinary(schema, bytes, requestReading);
