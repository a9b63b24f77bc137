import { Health } from "@dkv/protocol/grpc/health/v1/health";
import type { Door, PlainReply, PlainResource } from "../door.ts";
import { createGrpcHealth, type GrpcHealthDeps } from "./grpc-health.ts";
import type { Readiness } from "./readiness.ts";

/** The door of those who ask how the member is: gRPC health, and HTTP resources for probes and people. */
export function createHealthDoor(version: string, deps: GrpcHealthDeps): Door {
  const { readiness } = deps;
  return {
    services: [Health],
    routes(router) {
      router.service(Health, createGrpcHealth(deps));
    },
    hotMethods: [],
    resources: new Map<string, PlainResource>([
      ["/health", () => health(readiness)],
      ["/livez", (query) => probe([{ name: "process" }], query)],
      ["/readyz", (query) => probe([{ name: "process" }, ...readiness.parts()], query)],
      ["/version", () => json(200, { dkv: version })],
    ]),
  };
}

function health(readiness: Readiness): PlainReply {
  const reason = readiness.reason();
  return json(reason === undefined ? 200 : 503, {
    health: reason === undefined ? "true" : "false",
    reason: reason ?? "",
  });
}

/** One thing that must be well; the reason says why it is not. */
interface Check {
  readonly name: string;
  readonly reason?: string | undefined;
}

/** The words of Kubernetes' own probes: "ok", or every check on a line when `?verbose` asks or one fails. */
function probe(checks: readonly Check[], query: URLSearchParams): PlainReply {
  const isWell = checks.every((check) => check.reason === undefined);
  const lines = checks.map(({ name, reason }) =>
    reason === undefined ? `[+]${name} ok` : `[-]${name} failed: ${reason}`,
  );
  const body = isWell && !query.has("verbose") ? "ok" : [...lines, isWell ? "ok" : "not ok"].join("\n");
  return { status: isWell ? 200 : 503, contentType: "text/plain; charset=utf-8", body: `${body}\n` };
}

function json(status: number, value: unknown): PlainReply {
  return { status, contentType: "application/json", body: `${JSON.stringify(value)}\n` };
}
