/** grpc.health.v1: the question that load balancers ask. */
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import {
  type Health,
  type HealthCheckRequest,
  type HealthCheckResponse_ServingStatus,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "@dkv/protocol/grpc/health/v1/health";
import type { Clock } from "../../platform/clock.ts";
import type { Readiness } from "./readiness.ts";

/** How often a watcher's answer is compared with the state of the member. */
const watchPeriodMs = 250;

export interface GrpcHealthDeps {
  readonly clock: Clock;
  readonly readiness: Readiness;
  /** Full names of the services that can be asked about. */
  readonly services: ReadonlySet<string>;
}

/** All services share one fate: with a leader they serve, without one they do not. */
export function createGrpcHealth({ clock, readiness, services }: GrpcHealthDeps): ServiceImpl<typeof Health> {
  const statusOf = (service: string): HealthCheckResponse_ServingStatus => {
    if (service !== "" && !services.has(service)) return ServingStatus.SERVICE_UNKNOWN;
    return readiness.reason() === undefined ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  };

  return {
    check({ service }) {
      const status = statusOf(service);
      if (status === ServingStatus.SERVICE_UNKNOWN)
        throw new ConnectError(`no service is named ${service}`, Code.NotFound);
      return { status };
    },
    async *watch({ service }: HealthCheckRequest, { signal }: HandlerContext) {
      let last: HealthCheckResponse_ServingStatus | undefined;
      for (;;) {
        const status = statusOf(service);
        if (status !== last) yield { status };
        last = status;
        if (signal.aborted) throw ConnectError.from(signal.reason, Code.Canceled);
        await pause(watchPeriodMs, signal, clock);
      }
    },
  };
}

/** Resolves after a while, or at once when the signal is aborted. */
function pause(delayMs: number, signal: AbortSignal, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      cancel();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const cancel = clock.after(delayMs, end);
    signal.addEventListener("abort", end);
  });
}
