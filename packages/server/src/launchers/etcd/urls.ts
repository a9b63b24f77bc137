/** URLs as etcd's flags have them: a scheme, a host and a port, and nothing else. */
import { usage } from "../../config/value-reader.ts";
import { formatAddress, parseHostPort } from "../../platform/address.ts";
import { sourceOf, textOf, type GivenFlags } from "./values.ts";
import type { EtcdFlagName } from "./flags.ts";

export interface EtcdUrl {
  readonly text: string;
  readonly scheme: "http" | "https";
  /** host:port; the host may be left out where one listens. */
  readonly address: string;
  /** Whether nobody beyond this machine comes that way. */
  readonly isLocal: boolean;
  /** Whether it names no host to go to. */
  readonly isEverywhere: boolean;
}

/** In order, each once. Throws a StartupError of kind `usage`. */
export function urlsIn(given: GivenFlags, name: EtcdFlagName): readonly EtcdUrl[] {
  const source = sourceOf(given, name);
  const urls = new Map(
    textOf(given, name)
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "")
      .map((item) => [item, readUrl(item, source)]),
  );
  return inOrder([...urls.values()]);
}

/** Members with all URLs of each, in the order in which they are named first. */
export function clusterIn(given: GivenFlags): ReadonlyMap<string, readonly EtcdUrl[]> {
  const source = sourceOf(given, "initial-cluster");
  const members = new Map<string, EtcdUrl[]>();
  for (const item of textOf(given, "initial-cluster")
    .split(",")
    .map((one) => one.trim())) {
    if (item === "") continue;
    const at = item.indexOf("=");
    if (at <= 0) throw usage(`${source} has "${item}"; write NAME=URL, such as m1=http://10.0.0.1:2380`);
    const name = item.slice(0, at).trim();
    const urls = members.get(name) ?? [];
    urls.push(readUrl(item.slice(at + 1).trim(), source));
    members.set(name, urls);
  }
  return new Map(Array.from(members, ([name, urls]) => [name, inOrder(urls)]));
}

/** As etcd has them: members that name several have to arrive at the same first one. */
function inOrder(urls: readonly EtcdUrl[]): readonly EtcdUrl[] {
  return [...urls].sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0));
}

function readUrl(text: string, source: string): EtcdUrl {
  if (/^unixs?:/.test(text))
    throw usage(`${source} has "${text}": members listen on TCP only; write http://127.0.0.1:PORT`);
  const { scheme, rest = "" } = /^(?<scheme>https?):\/\/(?<rest>[^/]+)\/?$/.exec(text)?.groups ?? {};
  if (scheme !== "http" && scheme !== "https")
    throw usage(`${source} has "${text}"; write URLs with a host and a port, such as http://10.0.0.1:2379`);
  const parsed = parseHostPort(rest, `${source}, ${text}`);
  const { host } = parsed;
  const isEverywhere = host === undefined || host === "0.0.0.0" || host === "::";
  const isLocal = host === "localhost" || host === "::1" || host?.startsWith("127.") === true;
  return { text: text.replace(/\/$/, ""), scheme, address: formatAddress(parsed), isLocal, isEverywhere };
}
