import { shown } from "./checks.ts";
import { badConfiguration } from "./errors.ts";

/** Where a member serves clients. */
export interface Endpoint {
  /** A name or an address; an IPv6 address is without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Endpoints and whether they were written with a scheme that demands or excludes TLS. */
export interface ParsedEndpoints {
  readonly endpoints: readonly Endpoint[];
  readonly scheme: "http" | "https" | undefined;
}

/** The port that dkv serves clients on unless told otherwise. */
export const defaultPort = 3000;

const portOfScheme = { http: 80, https: 443 } as const;

const shape =
  /^(?:(?<scheme>https?):\/\/)?(?:\[(?<ipv6>[\da-f.]*:[\da-f:.]*)\]|(?<host>[^:/?#@\s]*))(?::(?<port>\d{1,5}))?\/?$/i;

/**
 * Parses `host:port`, `host`, `:port` (this machine), `[::1]:port`, each also with `http://` or `https://`.
 *
 * @throws DkvClientError `bad_configuration` for anything else, and for schemes that disagree
 */
export function parseEndpoints(texts: readonly string[]): ParsedEndpoints {
  if (!Array.isArray(texts))
    throw badConfiguration(
      `the endpoints are ${shown(texts)}: give a list of them, such as ["localhost:3000"]`,
    );
  const parsed = texts.map(parseOne);
  if (parsed.length === 0) throw badConfiguration("no endpoint given: a client needs at least one host:port");
  const schemes = new Set(parsed.map(({ scheme }) => scheme));
  if (schemes.size > 1)
    throw badConfiguration("the endpoints mix different schemes: write all of them with https:// or none");
  const unique = new Map(parsed.map(({ endpoint }) => [formatEndpoint(endpoint), endpoint]));
  return { endpoints: [...unique.values()], scheme: parsed[0]?.scheme };
}

/** An address that a member told. Undefined if it does not say where another machine finds it. */
export function parseAdvertised(text: string): Endpoint | undefined {
  const { ipv6, host = ipv6, port } = shape.exec(text)?.groups ?? {};
  if (host === undefined || host === "" || host === "0.0.0.0" || host === "::" || !isPort(port))
    return undefined;
  const endpoint = { host, port: Number(port) };
  return isUsable(endpoint) ? endpoint : undefined;
}

/** The endpoint as `host:port`, with brackets around an IPv6 address. */
export function formatEndpoint({ host, port }: Endpoint): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function parseOne(text: unknown): {
  readonly endpoint: Endpoint;
  readonly scheme: ParsedEndpoints["scheme"];
} {
  if (typeof text !== "string")
    throw badConfiguration(
      `an endpoint is ${shown(text)}: write host:port, for example localhost:${defaultPort}`,
    );
  const { scheme: given, ipv6, host = ipv6, port } = shape.exec(text)?.groups ?? {};
  const scheme = schemeOf(given);
  const impliedPort = scheme === undefined ? defaultPort : portOfScheme[scheme];
  const endpoint = {
    host: host === "" ? "localhost" : (host ?? ""),
    port: port === undefined ? impliedPort : Number(port),
  };
  const isEmpty = host === "" && port === undefined;
  if (host === undefined || isEmpty || (port !== undefined && !isPort(port)) || !isUsable(endpoint)) {
    throw badConfiguration(
      `"${text}" is not an endpoint: write host:port, for example localhost:${defaultPort}`,
    );
  }
  return { endpoint, scheme };
}

function schemeOf(given: string | undefined): ParsedEndpoints["scheme"] {
  const lower = given?.toLowerCase();
  return lower === "http" || lower === "https" ? lower : undefined;
}

/** Whether the host can stand in a URL: not every text that has no colon is a name. */
function isUsable(endpoint: Endpoint): boolean {
  return URL.canParse(`http://${formatEndpoint(endpoint)}`);
}

function isPort(port: string | undefined): boolean {
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535;
}
