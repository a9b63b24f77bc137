/** The config file of etcd: YAML, whose keys are flags, but for two groups of those that are about TLS. */
import { readFileSync } from "node:fs";
import { usage } from "../../config/value-reader.ts";
import type { Given } from "../../config/values.ts";
import { StartupError } from "../../platform/startup-error.ts";
import { whyUnreadable } from "../../platform/unreadable.ts";
import type { LauncherDeps } from "../launcher.ts";
import { type EtcdFlagName, etcdFlagNames } from "./flags.ts";
import { type GivenFlags, settledText } from "./values.ts";

/** What the keys of the groups are as flags. */
const groups: Readonly<Record<string, Readonly<Record<string, EtcdFlagName>>>> = {
  "client-transport-security": {
    "cert-file": "cert-file",
    "key-file": "key-file",
    "client-cert-file": "client-cert-file",
    "client-key-file": "client-key-file",
    "client-cert-auth": "client-cert-auth",
    "trusted-ca-file": "trusted-ca-file",
    "auto-tls": "auto-tls",
    "allowed-hostname": "client-cert-allowed-hostname",
    "allowed-hostnames": "client-cert-allowed-hostname",
  },
  "peer-transport-security": {
    "cert-file": "peer-cert-file",
    "key-file": "peer-key-file",
    "client-cert-file": "peer-client-cert-file",
    "client-key-file": "peer-client-key-file",
    "client-cert-auth": "peer-client-cert-auth",
    "trusted-ca-file": "peer-trusted-ca-file",
    "auto-tls": "peer-auto-tls",
    "allowed-cn": "peer-cert-allowed-cn",
    "allowed-cns": "peer-cert-allowed-cn",
    "allowed-hostname": "peer-cert-allowed-hostname",
    "allowed-hostnames": "peer-cert-allowed-hostname",
    "skip-client-san-verification": "experimental-peer-skip-client-san-verification",
  },
};

/** Numbers in the file are nanoseconds, where the flags have units. */
const durations: readonly string[] = [
  "grpc-keepalive-min-time",
  "grpc-keepalive-interval",
  "grpc-keepalive-timeout",
  "experimental-corrupt-check-time",
  "corrupt-check-time",
  "experimental-watch-progress-notify-interval",
  "watch-progress-notify-interval",
];

/** Rejects with a StartupError. Keys that etcd has not either are said to be ignored. */
export async function readEtcdFile(path: string, say: LauncherDeps["say"]): Promise<GivenFlags> {
  const given = new Map<EtcdFlagName, Given>();
  const unknown: string[] = [];
  const take = (key: string, name: EtcdFlagName | undefined, value: unknown): void => {
    const source = `${path}: "${key}"`;
    if (value === null || value === undefined) return;
    if (name === undefined) unknown.push(key);
    else given.set(name, { text: settledText(name, textOf(name, value, source), source), source });
  };
  for (const [key, value] of Object.entries<unknown>({ ...(await parse(path)) })) {
    const group = Object.hasOwn(groups, key) ? groups[key] : undefined;
    if (group === undefined)
      take(
        key,
        etcdFlagNames.find((name) => name === key),
        value,
      );
    else if (typeof value === "object" && value !== null)
      for (const [inner, one] of Object.entries<unknown>({ ...value }))
        take(`${key}.${inner}`, group[inner], one);
    else if (value !== null) throw usage(`${path}: "${key}" is a group of keys, such as cert-file`);
  }
  if (unknown.length > 0) say(`${path} has ${unknown.join(", ")}, which no flag is called: ignored`);
  return given;
}

async function parse(path: string): Promise<object> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new StartupError("environment", `--config-file: ${path} ${whyUnreadable(error)}`, { cause: error });
  }
  const { parseDocument } = await import("yaml");
  // What etcd reads it with knows the older version, where `on` and `yes` are true.
  const document = parseDocument(text, { version: "1.1" });
  const [mistake] = document.errors;
  if (mistake !== undefined)
    throw usage(`--config-file: ${path} is not YAML: ${mistake.message.replaceAll(/\s+/g, " ")}`);
  const value: unknown = document.toJS({ maxAliasCount: 100 }) ?? {};
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw usage(`--config-file: ${path} must hold keys with values, such as name: m1`);
}

function textOf(name: string, value: unknown, source: string): string {
  if (Array.isArray(value)) return value.map((item) => textOf(name, item, source)).join(",");
  if (typeof value === "number" && durations.includes(name)) return `${String(value)}ns`;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return String(value);
  throw usage(`${source} is no text, number or list; write one`);
}
