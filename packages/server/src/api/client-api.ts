/** What the client port serves: its doors, and the engines that lead to them. */
import { Code, ConnectError } from "@connectrpc/connect";
import type { Logger } from "pino";
import type { Member } from "../consensus/member.ts";
import type { HttpRequest, HttpResponse, RequestHandlers } from "../listener/request-handlers.ts";
import type { Clock } from "../platform/clock.ts";
import { systemRandom } from "../platform/random.ts";
import { systemTimeOfDay } from "../platform/time-of-day.ts";
import { createGuard, defaultGuardOptions } from "./auth/create-guard.ts";
import type { Guard } from "./auth/guard.ts";
import { BodyBudget } from "./body-budget.ts";
import { createConnectHandler } from "./connect-handler.ts";
import type { Door, PlainResource } from "./door.ts";
import { createDoors, type DoorsOptions } from "./doors.ts";
import { createErrorTranslator } from "./errors.ts";
import { GrpcFastPath } from "./grpc-fast-path.ts";
import { GrpcErrorBlocks } from "./grpc-status.ts";
import { methodRefusal, plainResponse, textResponse } from "./plain-response.ts";
import { queryPaths } from "./query/door.ts";
import { unknownMethod } from "./unknown-method.ts";
import { maxMessageBytes, requestTooLarge } from "./request-limit.ts";

export interface ClientApiOptions extends Omit<DoorsOptions, "bodyTimeoutMs" | "shutdownSignal"> {
  /** How long a client may take to send one message. Default: a minute. */
  readonly bodyTimeoutMs?: number | undefined;
}

export interface ClientApiDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of the member. Without one there is one as etcd would have it. */
  readonly guard?: Guard | undefined;
}

const systemDeps = { random: systemRandom, timeOfDay: systemTimeOfDay };

const defaultBodyTimeoutMs = 60_000;

/** Memory for messages that arrive in several pieces, over all clients. */
const arrivingLimits = { maxBytes: 256 * 1024 * 1024, maxConnectionBytes: 64 * 1024 * 1024 };

/** Everything that the client port of this member serves. */
export function createClientApi(
  member: Member,
  options: ClientApiOptions,
  {
    clock,
    logger,
    guard = createGuard(member, defaultGuardOptions, { ...systemDeps, clock }),
  }: ClientApiDeps,
): RequestHandlers {
  const stopping = new AbortController();
  const translate = createErrorTranslator({ member, logger });
  const deps = { clock, logger, translate, budget: new BodyBudget(arrivingLimits) };
  const { bodyTimeoutMs = defaultBodyTimeoutMs } = options;

  const terms = { ...options, bodyTimeoutMs, shutdownSignal: stopping.signal };
  const doors = createDoors(member, terms, { ...deps, guard });
  const serviceNames = new Set(doors.flatMap((door) => door.services.map((service) => service.typeName)));

  const limits = {
    maxMessageBytes: maxMessageBytes(options.maxRequestBytes),
    tooLarge: () => requestTooLarge(options.maxRequestBytes),
    bodyTimeoutMs,
  };
  const hotMethods = doors.flatMap((door) => door.hotMethods);
  const hotStreams = doors.flatMap((door) => door.hotStreams ?? []);
  const errorBlocks = new GrpcErrorBlocks(translate, () => member.status().leader);
  const fastPath = new GrpcFastPath(
    { ...limits, methods: hotMethods, streams: hotStreams },
    { ...deps, errorBlocks },
  );
  const routes = doors.map((door) => door.routes.bind(door));
  const largeStreams = new Set(doors.flatMap((door) => door.largeStreams ?? []));
  const translators = new Map(
    doors.flatMap((door) => door.services.map((service) => [service, door.translate] as const)),
  );
  const connect = createConnectHandler(
    { ...limits, routes, largeStreams, shutdownSignal: stopping.signal },
    { ...deps, translatorOf: (service) => translators.get(service) ?? translate },
  );
  const resources = new Map(doors.flatMap((door) => [...door.resources]));

  return {
    onStream: (stream, connection) => fastPath.accept(stream, connection),
    async onRequest(request) {
      const parts = partsOf(request.target);
      return (
        connect(parts.path, request) ??
        unknownMethod(parts.path, request, serviceNames) ??
        answerOf(doors, parts.path, request) ??
        answer(resources.get(parts.path), request, parts)
      );
    },
    onClosing() {
      fastPath.stop();
      stopping.abort(new ConnectError("the member is stopping: use another one", Code.Unavailable));
    },
  };
}

/** Of the door whose path it is. */
function answerOf(
  doors: readonly Door[],
  path: string,
  request: HttpRequest,
): Promise<HttpResponse> | undefined {
  for (const door of doors) {
    const answer = door.answer?.(path, request);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

interface Parts {
  readonly path: string;
  readonly query: string;
}

function partsOf(target: string): Parts {
  const at = target.indexOf("?");
  return at < 0 ? { path: target, query: "" } : { path: target.slice(0, at), query: target.slice(at + 1) };
}

async function answer(
  resource: PlainResource | undefined,
  { method, header, connection }: HttpRequest,
  { path, query }: Parts,
): Promise<HttpResponse> {
  if (resource === undefined) return nothingAt(path);
  const isRead = method === "GET" || method === "HEAD";
  if (!isRead && resource.methods === "GET and HEAD")
    return methodRefusal("this path answers GET and HEAD only", "GET, HEAD");
  return plainResponse(
    await resource.answer(query, { get: (name) => header.get(name), connection }),
    method === "HEAD" ? "header" : "whole",
  );
}

function nothingAt(path: string): HttpResponse {
  const hint = queryPaths.some((one) => one === path)
    ? ": this member was not started with --query-interface"
    : "";
  return textResponse(404, `nothing is served at this path${hint}`);
}
