/** Where gRPC, Connect and HTTP are served by a member that was only told the port of another door. */
import { usage } from "../config/value-reader.ts";
import type { HostPort } from "../platform/address.ts";

/** Between the two, so that whoever knows the one port can find the other. */
const distance = 10_000;

/** What people change who want another one. */
export const setterBeside = (doorPort: string): string => `${doorPort}, which is ${String(distance)} below`;

/** Throws a StartupError of kind `usage` if there is no such port. */
export function clientAddressBeside(host: string, doorPort: number): HostPort {
  const port = doorPort + distance;
  if (port > 65_535) {
    throw usage(
      `clients of dkv would be served on port ${String(port)}, ${String(distance)} above ${String(doorPort)}, ` +
        "and there is no such port: choose a lower one",
    );
  }
  return { host, port };
}
