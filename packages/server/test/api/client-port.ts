import type { TestContext } from "node:test";
import { pino } from "pino";
import { createGuard, defaultGuardOptions, type GuardOptions } from "../../src/api/auth/create-guard.ts";
import { createClientApi } from "../../src/api/client-api.ts";
import { createClientListener } from "../../src/listener/client-listener.ts";
import type { ListenerLimits } from "../../src/listener/limits.ts";
import type { RequestHandlers } from "../../src/listener/request-handlers.ts";
import { type Clock, systemClock } from "../../src/platform/clock.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { systemTimeOfDay } from "../../src/platform/time-of-day.ts";
import type { TlsPaths } from "../../src/platform/tls-files.ts";
import { MemberInMemory } from "./member-in-memory.ts";

export interface PortOptions {
  readonly tls?: TlsPaths;
  readonly maxRequestBytes?: number;
  readonly bodyTimeoutMs?: number;
  readonly limits?: Partial<ListenerLimits>;
  /** Whether hot gRPC calls may bypass Connect, as they do in production. */
  readonly bypass?: "allowed" | "forbidden";
  readonly clock?: Clock;
  readonly queryInterface?: boolean;
  /** Time between two times at which watches of etcd are told how far they have come. */
  readonly progressIntervalMs?: number;
  /** How it finds out who asks. */
  readonly guard?: GuardOptions;
}

export interface ClientPort {
  readonly member: MemberInMemory;
  readonly port: number;
  readonly url: string;
  /** gRPC calls that bypassed Connect. */
  readonly bypassed: () => number;
  /** Lines that were logged, as JSON. */
  readonly log: readonly string[];
  close(graceMs: number): Promise<void>;
}

/** Opens the client port of a member in memory on loopback, and closes it after the test. */
export async function openClientPort(
  t: Pick<TestContext, "after">,
  options: PortOptions = {},
): Promise<ClientPort> {
  const member = new MemberInMemory();
  const log: string[] = [];
  const logger = pino({ level: "info" }, { write: (line: string) => log.push(line) });
  const { maxRequestBytes = 1_572_864, bodyTimeoutMs, limits = {}, clock = systemClock } = options;
  const { queryInterface = false, progressIntervalMs } = options;
  const world = { clock, random: systemRandom, timeOfDay: systemTimeOfDay };
  const guard = createGuard(member, options.guard ?? { ...defaultGuardOptions, bcryptCost: 4 }, world);
  const api = createClientApi(
    member,
    { maxRequestBytes, version: "1.2.3", bodyTimeoutMs, queryInterface, progressIntervalMs },
    { clock, logger, guard },
  );
  let bypassed = 0;
  const handlers: RequestHandlers = {
    ...api,
    onStream(stream, connection) {
      const receiver = options.bypass === "forbidden" ? undefined : api.onStream(stream, connection);
      if (receiver !== undefined) bypassed += 1;
      return receiver;
    },
  };
  const listener = createClientListener(
    { address: { host: "127.0.0.1", port: 0 }, tls: options.tls, limits },
    { clock, logger, handlers },
  );
  await listener.start();
  const { port } = listener;
  t.after(() => listener.close(0));
  return {
    member,
    port,
    url: `${options.tls === undefined ? "http" : "https"}://127.0.0.1:${String(port)}`,
    bypassed: () => bypassed,
    log,
    close: (graceMs) => listener.close(graceMs),
  };
}
