import type { Door } from "../../door.ts";
import { createEtcdTranslator } from "../errors.ts";
import { messageLimit } from "../message-limit.ts";
import { Gateway, type GatewayDeps, type GatewayOptions } from "./gateway.ts";

export interface GatewayDoorOptions extends Pick<GatewayOptions, "bodyTimeoutMs" | "shutdownSignal"> {
  /** Most bytes of a request. */
  readonly maxRequestBytes: number;
}

/**
 * The door of etcd's clients that speak JSON.
 *
 * @param etcd whose methods are called, as by any other client: who may not call one may not do so here
 * @param deps `translate` has the errors that have no name in etcd
 */
export function createGatewayDoor(
  { hotMethods, hotStreams = [] }: Pick<Door, "hotMethods" | "hotStreams">,
  { maxRequestBytes, ...options }: GatewayDoorOptions,
  deps: GatewayDeps,
): Door {
  const methods = { unary: hotMethods, streams: hotStreams };
  const gateway = new Gateway(
    { ...options, methods, limit: messageLimit(maxRequestBytes) },
    { ...deps, translate: createEtcdTranslator(deps.translate) },
  );
  return {
    services: [],
    routes: () => undefined,
    hotMethods: [],
    resources: new Map(),
    answer: (path, request) => gateway.answer(path, request),
  };
}
