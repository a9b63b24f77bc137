/** Whether the addresses that a member is to listen on can be had, and in words why not. */
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { formatAddress, type ListenAddress } from "./address.ts";
import { StartupError } from "./startup-error.ts";

/** For whom an address is, with the flag that names it. */
const flags = {
  peers: "--listen-peer-address",
  clients: "--listen-client-address",
  probes: "--listen-metrics-address",
  "clients of the text protocol": "--listen-text-address",
  "clients of the binary protocol": "--listen-binary-address",
} as const;

export type Callers = keyof typeof flags;

/** One address of a member. */
export interface Listening {
  readonly callers: Callers;
  readonly address: ListenAddress;
}

/** What came of listening there: one line that says what to do. */
export function listenFailure(callers: Callers, address: ListenAddress, error: unknown): StartupError {
  const where = `cannot listen for ${callers} on ${formatAddress(address)}`;
  const setting = settingOf({ callers, address });
  const code = codeOf(error);
  const why =
    code === "EADDRINUSE"
      ? `the address is taken; stop what uses it or choose another ${setting}`
      : code === "EADDRNOTAVAIL" || code === "ENOTFOUND"
        ? `this machine has no such address; see ${setting}`
        : code === "EACCES"
          ? `this user may not listen there; choose a port above 1023 for ${setting}`
          : error instanceof Error
            ? error.message
            : String(error);
  return new StartupError("environment", `${where}: ${why}`, { cause: error });
}

/** Throws a StartupError of kind `usage` if a member would listen twice on what is plainly one address. */
export function checkApart(listenings: readonly Listening[]): void {
  for (const [at, one] of listenings.entries()) {
    const other = listenings.slice(0, at).find((earlier) => isSame(earlier.address, one.address));
    if (other !== undefined) throw sameAddress(one, other);
  }
}

/**
 * Listens on all of them at once for a moment. Rejects with {@link listenFailure} if that cannot be done now,
 * and with a StartupError of kind `usage` if one of them stands in the way of another.
 */
export async function checkAddresses(listenings: readonly Listening[]): Promise<void> {
  const held: { readonly listening: Listening; readonly server: Server }[] = [];
  try {
    for (const listening of listenings) {
      const earlier = held.map((one) => one.listening);
      held.push({ listening, server: await hold(listening, earlier) });
    }
  } finally {
    await Promise.all(held.map(({ server }) => release(server)));
  }
}

async function hold(listening: Listening, earlier: readonly Listening[]): Promise<Server> {
  const { callers, address } = listening;
  const { host, port } = address;
  const server = createServer((socket) => socket.destroy());
  try {
    server.listen(host === undefined ? { port } : { host, port });
    await once(server, "listening");
    return server;
  } catch (error) {
    // Names of one address may differ.
    const other = earlier.find((one) => one.address.port === port);
    if (codeOf(error) === "EADDRINUSE" && port !== 0 && other !== undefined)
      throw sameAddress(listening, other);
    throw listenFailure(callers, address, error);
  }
}

async function release(server: Server): Promise<void> {
  server.close();
  await once(server, "close");
}

function isSame(one: ListenAddress, other: ListenAddress): boolean {
  if (one.port !== other.port || one.port === 0) return false;
  return one.host === other.host || isEveryHost(one) || isEveryHost(other);
}

/** Of IPv4 and IPv6 alike. */
const isEveryHost = ({ host }: ListenAddress): boolean => host === undefined || host === "::";

function sameAddress(one: Listening, other: Listening): StartupError {
  const [a, b] = [formatAddress(one.address), formatAddress(other.address)];
  const settings = `${settingOf(one)} and ${settingOf(other)}`;
  const what = a === b ? `are both ${a}` : `are ${a} and ${b}, which is one address twice`;
  return new StartupError(
    "usage",
    `${settings} ${what}: ${one.callers} and ${other.callers} need ports of their own`,
  );
}

/** What a person changes who wants another address. */
const settingOf = ({ callers, address }: Listening): string => address.setBy ?? flags[callers];

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
