/** The ports on which the doors of HTTP are served: all of them, or only what probes ask for. */
import type { Logger } from "pino";
import { probesOf } from "../api/probes.ts";
import type { Config } from "../config/config.ts";
import { createClientListener } from "../listener/client-listener.ts";
import { createBacklog } from "../listener/http-servers.ts";
import type { ClientListener } from "../listener/port.ts";
import type { RequestHandlers } from "../listener/request-handlers.ts";
import type { Clock } from "../platform/clock.ts";

export function createClientListeners(
  { clientPorts, metricsPorts }: Pick<Config, "clientPorts" | "metricsPorts">,
  api: RequestHandlers,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): readonly ClientListener[] {
  // What clients do not take is bounded on all ports together.
  const deps = { clock, logger, backlog: createBacklog() };
  return [
    ...clientPorts.map((port) => createClientListener(port, { ...deps, handlers: api })),
    ...metricsPorts.map((port) =>
      createClientListener({ ...port, callers: "probes" }, { ...deps, handlers: probesOf(api) }),
    ),
  ];
}
