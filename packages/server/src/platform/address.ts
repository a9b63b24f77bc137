/** Network addresses as texts: host:port, [IPv6]:port, or :port for every interface of this machine. */
import { isIPv6 } from "node:net";
import { StartupError } from "./startup-error.ts";

export interface HostPort {
  /** A name or an IP address, IPv6 without brackets. Undefined stands for every interface. */
  readonly host: string | undefined;
  /** 0 leaves the choice to the operating system. */
  readonly port: number;
}

/** One to listen on. */
export interface ListenAddress extends HostPort {
  /** What it was set by, for complaints, unless that is dkv's own flag: "$SERVER_PORT". */
  readonly setBy?: string;
}

/**
 * Throws a StartupError of kind `usage`.
 *
 * @param source where the text was given, for the complaint, such as "--listen-peer-address".
 */
export function parseHostPort(text: string, source: string): HostPort {
  const { host, bracketed, port } =
    /^(?:\[(?<bracketed>[^\]]*)\]|(?<host>[^[\]:]*)):(?<port>\d{1,5})$/.exec(text)?.groups ?? {};
  if (port === undefined || Number(port) > 65_535) throw malformed(text, source);
  if (bracketed !== undefined) {
    if (!isIPv6(bracketed)) throw malformed(text, source);
    return { host: bracketed, port: Number(port) };
  }
  if (host === undefined || host === "") return { host: undefined, port: Number(port) };
  if (!/^[\w.-]+$/.test(host)) throw malformed(text, source);
  return { host, port: Number(port) };
}

/** The text that {@link parseHostPort} reads back as the same. */
export function formatAddress({ host, port }: HostPort): string {
  if (host === undefined) return `:${String(port)}`;
  return isIPv6(host) ? `[${host}]:${String(port)}` : `${host}:${String(port)}`;
}

/** Whether a name is one by which somebody is reached: it ends in a port. */
export const isAddress = (name: string): boolean => /:\d+$/.test(name);

function malformed(text: string, source: string): StartupError {
  const shapes =
    "HOST:PORT, [IPV6]:PORT or :PORT with a port up to 65535, such as localhost:2380 or [::1]:2380";
  return new StartupError("usage", `${source} is "${text}"; write ${shapes}`);
}
