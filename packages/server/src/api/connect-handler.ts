/**
 * Connect's protocols on Node's requests.
 *
 * connect-node has such an adapter too; it throws out of the event handler, and so ends the process, when
 * a request has no host or one that is no URL, and writes failures to the console.
 */
import { Http2ServerRequest, constants } from "node:http2";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  createConnectRouter,
  type Interceptor,
} from "@connectrpc/connect";
import type {
  Compression,
  UniversalHandler,
  UniversalServerRequest,
  UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import {
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import type { Logger } from "pino";
import type { NodeRequest, NodeResponse } from "../listener/request-handlers.ts";
import type { Clock } from "../platform/clock.ts";
import { DkvError } from "../platform/errors.ts";
import type { BodyBudget } from "./body-budget.ts";
import { limitBody } from "./body-limit.ts";
import type { ErrorTranslator } from "./errors.ts";
import { unescapeMessage } from "./grpc-status.ts";

export interface ConnectOptions {
  readonly routes: readonly ((router: ConnectRouter) => void)[];
  readonly maxMessageBytes: number;
  /** What a client is told whose message is larger. */
  readonly tooLarge: () => Error;
  readonly bodyTimeoutMs: number;
  /** Aborted when calls that do not end on their own are to end. */
  readonly shutdownSignal: AbortSignal;
}

export interface ConnectDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly translate: ErrorTranslator;
  readonly budget: BodyBudget;
}

/** Answers a request for the path, if it is one of Connect's. Returns whether it was. */
export type ConnectHandler = (path: string, request: NodeRequest, response: NodeResponse) => boolean;

/** Below this size, compressing an answer costs more than it saves. */
const compressMinBytes = 16 * 1024;

export function createConnectHandler(options: ConnectOptions, deps: ConnectDeps): ConnectHandler {
  const router = createConnectRouter({
    acceptCompression: [gzip(() => deps.translate(options.tooLarge()))],
    compressMinBytes,
    readMaxBytes: options.maxMessageBytes,
    interceptors: [translateErrors(deps.translate)],
    shutdownSignal: options.shutdownSignal,
  });
  for (const register of options.routes) register(router);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));

  return (path, request, response) => {
    const handler = handlers.get(path);
    if (handler === undefined) return false;
    const universal = readRequest(request, response);
    if (universal === undefined) {
      response.statusCode = 400;
      response.end("the request names no host, or one that is not a host\n");
      return true;
    }
    handler(isOneMessage(handler) ? limited(universal, { request, response }) : universal)
      .then((answer) => universalResponseToNodeResponse(withReadableMessage(answer), response))
      .catch((error: unknown) => {
        deps.logger.debug(
          { err: error, method: handler.method.name },
          "a call ended before its answer was sent",
        );
      });
    return true;
  };

  function limited(universal: UniversalServerRequest, exchange: Exchange): UniversalServerRequest {
    // Connect would compare the announced length with its own limit, and answer in its own words.
    universal.header.delete("content-length");
    const limit = {
      maxBytes: options.maxMessageBytes,
      hasPrefix: /^application\/(grpc|connect\+)/.test(universal.header.get("content-type") ?? ""),
      tooLarge: options.tooLarge,
      timeoutMs: options.bodyTimeoutMs,
      onTimeout: () => {
        abandon(exchange.request);
      },
    };
    const body = limitBody(bodyOf(exchange), limit, deps);
    // What the connection throws is not for us to judge: the client has gone.
    return {
      ...universal,
      body: mapThrown(body, (error) => (error instanceof DkvError ? deps.translate(error) : error)),
    };
  }
}

function readRequest(request: NodeRequest, response: NodeResponse): UniversalServerRequest | undefined {
  try {
    return universalRequestFromNodeRequest(request, response, undefined, undefined);
  } catch {
    return undefined;
  }
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

function isOneMessage({ method }: UniversalHandler): boolean {
  return method.methodKind === "unary" || method.methodKind === "server_streaming";
}

interface Exchange {
  readonly request: NodeRequest;
  readonly response: NodeResponse;
}

/**
 * The body of a request. One that is not read to its end stays usable: Node would cut the client off, or
 * leave it waiting to be read, and either way it would not see why it was refused.
 */
async function* bodyOf({ request, response }: Exchange): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) yield chunk;
  } finally {
    if (request instanceof Http2ServerRequest) {
      response.once("finish", () => {
        request.stream.close(constants.NGHTTP2_NO_ERROR);
      });
    } else {
      // HTTP/1.1 has no way to stop a client that sends; the time for a request ends it.
      request.resume();
    }
  }
}

function abandon(request: NodeRequest): void {
  if (request instanceof Http2ServerRequest) {
    request.stream.close(constants.NGHTTP2_CANCEL);
  } else {
    request.destroy();
  }
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
function translateErrors(translate: ErrorTranslator): Interceptor {
  return (next) => async (request) => {
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
