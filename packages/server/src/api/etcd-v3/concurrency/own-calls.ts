/**
 * The door's methods, as other methods of it call them: with the fields of the request that they serve, so
 * that whoever may not do something may not have it done either.
 */
import {
  create,
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  Watch,
  type WatchCreateRequestSchema,
  WatchRequestSchema,
  type WatchResponse,
  WatchResponseSchema,
} from "@dkv/protocol/etcdserverpb/rpc";
import { prefixBytes } from "../../arriving-message.ts";
import type { ByteMethods } from "../../bridge.ts";
import { callStream } from "../../called-stream.ts";
import type { ErrorTranslator } from "../../errors.ts";
import type { Surroundings } from "../../generated-stream.ts";
import type { StreamMethod } from "../../stream-method.ts";
import { requestReading, type UnaryMethod } from "../../unary-method.ts";

type WatchCreate = MessageInitShape<typeof WatchCreateRequestSchema>;

const watchPath = `/${Watch.typeName}/${Watch.method.watch.name}`;

export class OwnCalls {
  readonly #unary: ReadonlyMap<string, UnaryMethod>;
  readonly #streams: ReadonlyMap<string, StreamMethod>;
  readonly #translate: ErrorTranslator;

  /** @param translate what clients are told of errors */
  constructor({ unary, streams }: ByteMethods, translate: ErrorTranslator) {
    this.#unary = new Map(unary.map((method) => [method.path, method]));
    this.#streams = new Map(streams.map((method) => [method.path, method]));
    this.#translate = translate;
  }

  /** Goes on when the caller has gone: what it does may be done already. Rejects as {@link unnamed} says. */
  async call<Input extends DescMessage, Output extends DescMessage>(
    { parent, name, input, output }: DescMethodUnary<Input, Output>,
    request: MessageInitShape<Input>,
    { fields }: Pick<Surroundings, "fields">,
  ): Promise<MessageShape<Output>> {
    const method = this.#unary.get(`/${parent.typeName}/${name}`);
    if (method === undefined) throw new Error(`the door has no method ${name}`);
    try {
      const frame = await method.call(toBinary(input, create(input, request)), undefined, fields);
      return fromBinary(output, frame.subarray(prefixBytes), requestReading);
    } catch (error) {
      throw unnamed(this.#translate(error));
    }
  }

  /** All that is told to one stream of these watches, until the caller has gone. Throws as {@link call}. */
  async *watch(creates: readonly WatchCreate[], surroundings: Surroundings): AsyncGenerator<WatchResponse> {
    const method = this.#streams.get(watchPath);
    if (method === undefined) throw new Error("the door has no watches");
    try {
      for await (const bytes of callStream(method, requestsOf(creates), surroundings)) {
        const answer = fromBinary(WatchResponseSchema, bytes, requestReading);
        if (answer.canceled && answer.cancelReason !== "")
          throw new ConnectError(answer.cancelReason, Code.Unknown);
        yield answer;
      }
    } catch (error) {
      throw surroundings.signal.aborted ? error : unnamed(this.#translate(error));
    }
  }
}

async function* requestsOf(creates: readonly WatchCreate[]): AsyncGenerator<Uint8Array> {
  for (const value of creates) {
    const requestUnion = { case: "createRequest", value } as const;
    yield await Promise.resolve(toBinary(WatchRequestSchema, create(WatchRequestSchema, { requestUnion })));
  }
}

/** What goes wrong in such calls has its text and no code in etcd, which calls itself as any client would. */
const unnamed = ({ rawMessage }: ConnectError): ConnectError => new ConnectError(rawMessage, Code.Unknown);
