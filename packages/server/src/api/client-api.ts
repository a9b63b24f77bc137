/** Puts the doors of the client port together. */
import { Code, ConnectError } from "@connectrpc/connect";
import type { Logger } from "pino";
import type { Member } from "../consensus/member.ts";
import type { HttpRequest, HttpResponse, RequestHandlers } from "../listener/request-handlers.ts";
import type { Clock } from "../platform/clock.ts";
import { BodyBudget } from "./body-budget.ts";
import { createConnectHandler } from "./connect-handler.ts";
import { createDkvDoor } from "./dkv-v1/door.ts";
import type { Door, PlainResource } from "./door.ts";
import { createErrorTranslator } from "./errors.ts";
import { GrpcFastPath } from "./grpc-fast-path.ts";
import { GrpcErrorBlocks } from "./grpc-status.ts";
import { createHealthDoor } from "./health/door.ts";
import { createReadiness } from "./health/readiness.ts";
import { createMaintenanceDoor } from "./maintenance/door.ts";
import { plainResponse, textResponse } from "./plain-response.ts";
import { createReflectionDoor } from "./reflection/door.ts";
import { maxMessageBytes, requestTooLarge } from "./request-limit.ts";

export interface ClientApiOptions {
  /** Most bytes of key and value together. */
  readonly maxRequestBytes: number;
  readonly version: string;
  /** How long a client may take to send one message. Default: a minute. */
  readonly bodyTimeoutMs?: number | undefined;
}

export interface ClientApiDeps {
  readonly clock: Clock;
  readonly logger: Logger;
}

const defaultBodyTimeoutMs = 60_000;

/** Memory for messages that arrive in several pieces, over all clients. */
const arrivingLimits = { maxBytes: 256 * 1024 * 1024, maxConnectionBytes: 64 * 1024 * 1024 };

/** Everything that the client port of this member serves. */
export function createClientApi(
  member: Member,
  options: ClientApiOptions,
  { clock, logger }: ClientApiDeps,
): RequestHandlers {
  const stopping = new AbortController();
  const readiness = createReadiness(member, stopping.signal);
  const translate = createErrorTranslator({ member, logger });
  const deps = { clock, logger, translate, budget: new BodyBudget(arrivingLimits) };

  const apis: readonly Door[] = [
    createDkvDoor(member, options.maxRequestBytes),
    createMaintenanceDoor(member),
  ];
  const services = new Set(apis.flatMap((door) => door.services.map((service) => service.typeName)));
  const health = createHealthDoor(options.version, { clock, readiness, services });
  const reflection = createReflectionDoor([...apis, health].flatMap((door) => door.services));
  const doors = [...apis, health, reflection];

  const limits = {
    maxMessageBytes: maxMessageBytes(options.maxRequestBytes),
    tooLarge: () => requestTooLarge(options.maxRequestBytes),
    bodyTimeoutMs: options.bodyTimeoutMs ?? defaultBodyTimeoutMs,
  };
  const hotMethods = doors.flatMap((door) => door.hotMethods);
  const errorBlocks = new GrpcErrorBlocks(translate, () => member.status().leader);
  const fastPath = new GrpcFastPath({ ...limits, methods: hotMethods }, { ...deps, errorBlocks });
  const routes = doors.map((door) => door.routes.bind(door));
  const connect = createConnectHandler({ ...limits, routes, shutdownSignal: stopping.signal }, deps);
  const resources = new Map(doors.flatMap((door) => [...door.resources]));

  return {
    onStream: (stream, connection) => fastPath.accept(stream, connection),
    async onRequest(request) {
      const [path = "", query = ""] = request.target.split("?", 2);
      const resource = resources.get(path);
      return connect(path, request) ?? answer(resource, request, new URLSearchParams(query));
    },
    onClosing() {
      fastPath.stop();
      stopping.abort(new ConnectError("the member is stopping: use another one", Code.Unavailable));
    },
  };
}

function answer(
  resource: PlainResource | undefined,
  { method }: HttpRequest,
  query: URLSearchParams,
): HttpResponse {
  if (resource === undefined) return textResponse(404, "nothing is served at this path");
  if (method !== "GET" && method !== "HEAD") return textResponse(405, "this path answers GET and HEAD only");
  return plainResponse(resource(query), method === "HEAD" ? "header" : "whole");
}
