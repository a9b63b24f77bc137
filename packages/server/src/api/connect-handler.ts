/** Connect's protocols for the requests of the client port. */
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  createConnectRouter,
  createContextValues,
  type Interceptor,
} from "@connectrpc/connect";
import type {
  Compression,
  UniversalHandler,
  UniversalServerRequest,
  UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import { compressionGzip } from "@connectrpc/connect-node";
import type { HttpRequest, HttpResponse } from "../listener/request-handlers.ts";
import type { Clock } from "../platform/clock.ts";
import { DkvError } from "../platform/errors.ts";
import type { BodyBudget } from "./body-budget.ts";
import { type BodyLimit, limitBody } from "./body-limit.ts";
import { textResponse } from "./plain-response.ts";
import type { ErrorTranslator } from "./errors.ts";
import { connectionKey } from "./request-fields.ts";
import { unescapeMessage } from "./grpc-status.ts";
import { shortenTimeouts } from "./timeout-headers.ts";
import { requestReading } from "./unary-method.ts";

export interface ConnectOptions {
  readonly routes: readonly ((router: ConnectRouter) => void)[];
  /** Of a method that is not unary, only those whose messages may be as large as those of one that is. */
  readonly largeStreams: ReadonlySet<DescMethod>;
  readonly maxMessageBytes: number;
  /** What a client is told whose message is larger. */
  readonly tooLarge: () => Error;
  readonly bodyTimeoutMs: number;
  /** Aborted when calls that do not end on their own are to end. */
  readonly shutdownSignal: AbortSignal;
}

export interface ConnectDeps {
  readonly clock: Clock;
  readonly translate: ErrorTranslator;
  /** What clients of a service are told of errors. */
  readonly translatorOf: (service: DescService) => ErrorTranslator;
  readonly budget: BodyBudget;
}

/** Answers a request for the path; returns undefined if it is not one of Connect's. */
export type ConnectHandler = (path: string, request: HttpRequest) => Promise<HttpResponse> | undefined;

/** Below this size, compressing an answer costs more than it saves. */
const compressMinBytes = 16 * 1024;

/** Most methods that stream are asked questions, of a line or two. */
const maxStreamMessageBytes = 64 * 1024;
const streamLimit = {
  maxBytes: maxStreamMessageBytes,
  tooLarge: () =>
    new ConnectError(
      `message is too large: it may have ${String(maxStreamMessageBytes)} bytes`,
      Code.ResourceExhausted,
    ),
};

export function createConnectHandler(options: ConnectOptions, deps: ConnectDeps): ConnectHandler {
  const router = createConnectRouter({
    acceptCompression: [gzip(() => deps.translate(options.tooLarge()))],
    compressMinBytes,
    readMaxBytes: options.maxMessageBytes,
    binaryOptions: requestReading,
    jsonOptions: { recursionLimit: requestReading.recursionLimit },
    interceptors: [translateErrors(deps.translatorOf)],
    shutdownSignal: options.shutdownSignal,
  });
  for (const register of options.routes) register(router);
  const unaryLimit = { maxBytes: options.maxMessageBytes, tooLarge: options.tooLarge };
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));

  return (path, request) => {
    const handler = handlers.get(path);
    if (handler === undefined) return undefined;
    const url = urlOf(request);
    if (url === undefined) return Promise.resolve(noHost());
    const contextValues = createContextValues().set(connectionKey, request.connection);
    const universal = { ...request, url, contextValues };
    shortenTimeouts(request.header);
    return handler(limited(universal, handler)).then(withReadableMessage);
  };

  function limited(
    request: HttpRequest & { readonly url: string },
    { method }: UniversalHandler,
  ): UniversalServerRequest {
    const { methodKind } = method;
    const translate = deps.translatorOf(method.parent);
    const isLarge = methodKind === "unary" || options.largeStreams.has(method);
    // Connect would compare the announced length with its own limit, and answer in its own words.
    request.header.delete("content-length");
    const limit: BodyLimit = {
      ...(isLarge ? unaryLimit : streamLimit),
      hasPrefix:
        methodKind !== "unary" || /^application\/grpc/i.test(request.header.get("content-type") ?? ""),
      timed: methodKind === "unary" || methodKind === "server_streaming" ? "request" : "message",
      timeoutMs: options.bodyTimeoutMs,
      onTimeout: () => {
        request.abandon();
      },
    };
    const body = limitBody(request.body, limit, { ...deps, connection: request.connection });
    // What the connection throws is not for us to judge: the client has gone.
    return {
      ...request,
      body: mapThrown(body, (error) => (error instanceof DkvError ? translate(error) : error)),
    };
  }
}

function urlOf({ scheme, authority, target }: HttpRequest): string | undefined {
  const base = `${scheme}://${authority ?? ""}`;
  return URL.canParse(target, base) ? new URL(target, base).toString() : undefined;
}

function noHost(): HttpResponse {
  return textResponse(400, "the request names no host, or one that is not a host");
}

/** Trailers are complete once the body is. */
function withReadableMessage(answer: UniversalServerResponse): UniversalServerResponse {
  const { body, trailer } = answer;
  if (body === undefined || trailer === undefined) return answer;
  return { ...answer, body: unescapeAtEnd(body, trailer) };
}

async function* unescapeAtEnd(body: AsyncIterable<Uint8Array>, trailer: Headers): AsyncGenerator<Uint8Array> {
  yield* body;
  unescapeMessage(trailer);
}

/** Gzip whose complaint about a message that unpacks to too much is ours. */
function gzip(tooLarge: () => ConnectError): Compression {
  return {
    name: compressionGzip.name,
    compress: (bytes) => compressionGzip.compress(bytes),
    async decompress(bytes, readMaxBytes) {
      try {
        return await compressionGzip.decompress(bytes, readMaxBytes);
      } catch (error) {
        throw ConnectError.from(error).code === Code.ResourceExhausted ? tooLarge() : error;
      }
    },
  };
}

/** Translates what methods throw, at once or while they stream. */
function translateErrors(translatorOf: ConnectDeps["translatorOf"]): Interceptor {
  return (next) => async (request) => {
    const translate = translatorOf(request.service);
    // A call that its client has left fails in ways that are nobody's fault.
    const toConnect = (error: unknown): ConnectError =>
      error instanceof DkvError || !request.signal.aborted
        ? translate(error)
        : ConnectError.from(request.signal.reason, Code.Canceled);
    try {
      const response = await next(request);
      return response.stream ? { ...response, message: mapThrown(response.message, toConnect) } : response;
    } catch (error) {
      throw toConnect(error);
    }
  };
}

async function* mapThrown<Item>(
  items: AsyncIterable<Item>,
  map: (error: unknown) => unknown,
): AsyncGenerator<Item> {
  try {
    yield* items;
  } catch (error) {
    throw map(error);
  }
}
