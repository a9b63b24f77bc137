import { Health } from "@dkv/protocol/grpc/health/v1/health";
import type { Member } from "../../consensus/member.ts";
import type { Door, PlainReply, PlainResource } from "../door.ts";
import type { Versions } from "../versions.ts";
import { EtcdHealth } from "./etcd-health.ts";
import { createGrpcHealth, type GrpcHealthDeps } from "./grpc-health.ts";

export interface HealthDoorDeps extends GrpcHealthDeps {
  readonly member: Pick<Member, "alarms" | "readBarrier">;
}

/** The door of those who ask how the member is: gRPC health, and HTTP resources for probes and people. */
export function createHealthDoor(versions: Versions, deps: HealthDoorDeps): Door {
  const { readiness } = deps;
  const health = new EtcdHealth(deps);
  const version = json(200, versionsOf(versions));
  return {
    services: [Health],
    routes(router) {
      router.service(Health, createGrpcHealth(deps));
    },
    hotMethods: [],
    resources: new Map([
      ["/health", readable(async (query) => healthReply(await health.reason(query)))],
      ["/livez", readable((query) => probe([{ name: "process" }], query))],
      ["/readyz", readable((query) => probe([{ name: "process" }, ...readiness.parts()], query))],
      ["/version", readable(() => version)],
    ]),
  };
}

function readable(read: (query: URLSearchParams) => PlainReply | Promise<PlainReply>): PlainResource {
  return { methods: "GET and HEAD", answer: (query) => read(new URLSearchParams(query)) };
}

function healthReply(reason: string | undefined): PlainReply {
  return json(reason === undefined ? 200 : 503, {
    health: reason === undefined ? "true" : "false",
    reason: reason ?? "",
  });
}

/**
 * Clients of etcd look at its version before they rely on something; a cluster has that of its oldest member.
 */
function versionsOf({ dkv, etcd }: Versions): object {
  const cluster = etcd.replace(/\.\d+$/, ".0");
  return { etcdserver: etcd, etcdcluster: cluster, storage: cluster, dkv };
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
