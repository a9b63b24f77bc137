/** Whether the addresses that a member is to listen on can be had, and in words why not. */
import { once } from "node:events";
import { createServer } from "node:net";
import { formatAddress, type HostPort } from "./address.ts";
import { StartupError } from "./startup-error.ts";

/** For whom an address is, with the flag that names it. */
const flags = { peers: "--listen-peer-address", clients: "--listen-client-address" } as const;

export type Callers = keyof typeof flags;

/** What came of listening there: one line that says what to do. */
export function listenFailure(callers: Callers, address: HostPort, error: unknown): StartupError {
  const where = `cannot listen for ${callers} on ${formatAddress(address)}`;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const why =
    code === "EADDRINUSE"
      ? `the address is taken; stop what uses it or choose another ${flags[callers]}`
      : code === "EADDRNOTAVAIL" || code === "ENOTFOUND"
        ? `this machine has no such address; see ${flags[callers]}`
        : code === "EACCES"
          ? `this user may not listen there; choose a ${flags[callers]} with a port above 1023`
          : error instanceof Error
            ? error.message
            : String(error);
  return new StartupError("environment", `${where}: ${why}`, { cause: error });
}

/** Listens there for a moment. Rejects with {@link listenFailure} if that cannot be done now. */
export async function checkAddress(callers: Callers, address: HostPort): Promise<void> {
  const { host, port } = address;
  const server = createServer((socket) => socket.destroy());
  try {
    server.listen(host === undefined ? { port } : { host, port });
    await once(server, "listening");
  } catch (error) {
    throw listenFailure(callers, address, error);
  }
  server.close();
  await once(server, "close");
}
