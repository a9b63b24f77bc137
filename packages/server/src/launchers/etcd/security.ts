/** Words of dkv for the flags that are about TLS. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { usage } from "../../config/value-reader.ts";
import { StartupError } from "../../platform/startup-error.ts";
import type { LauncherDeps } from "../launcher.ts";
import type { EtcdFlagName } from "./flags.ts";
import { type GivenFlags, isOn, sourceOf, textOf } from "./values.ts";
import type { EtcdUrl } from "./urls.ts";

export interface Traffic {
  readonly dataDir: string;
  readonly clients: readonly EtcdUrl[];
  /** Those of probes, which are served with the certificates of clients. */
  readonly metrics: readonly EtcdUrl[];
  readonly peers: readonly EtcdUrl[];
  /** Hosts for which a certificate that is made here is made. */
  readonly hosts: readonly string[];
}

/** Rejects with a StartupError. Makes certificates where it is told to. */
export async function securityWords(
  given: GivenFlags,
  traffic: Traffic,
  say: LauncherDeps["say"],
): Promise<readonly string[]> {
  const sides = [clientWords(given, traffic, say), peerWords(given, traffic, say)];
  if (sides.some(({ isMade }) => isMade)) await makeFiles(traffic);
  const both = sameWords(given, ["cipher-suites", "tls-min-version", "tls-max-version"]);
  return [...sides.flatMap(({ words }) => words), ...both];
}

interface Side {
  readonly words: readonly string[];
  /** Whether its certificates are to be made. */
  readonly isMade: boolean;
}

const inClear: Side = { words: [], isMade: false };

function clientWords(
  given: GivenFlags,
  { dataDir, clients, metrics }: Traffic,
  say: LauncherDeps["say"],
): Side {
  const isMade = isAutomatic(given, { flag: "auto-tls", file: "cert-file" }, say);
  const hasFiles = textOf(given, "cert-file") !== "";
  if (![...clients, ...metrics].some(({ scheme }) => scheme === "https")) {
    if (hasFiles || isMade || isOn(given, "client-cert-auth"))
      say("clients are served in clear, as the http:// of their URLs says: certificates make no difference");
    return inClear;
  }
  if (!hasFiles && !isMade)
    throw usage(
      "a URL for clients or probes is https://, which needs --cert-file and --key-file, or --auto-tls",
    );
  if (isOn(given, "client-cert-auth") && textOf(given, "trusted-ca-file") === "")
    throw usage(
      `${sourceOf(given, "client-cert-auth")} is true without --trusted-ca-file: name the CA that clients' certificates come from`,
    );
  const files = isMade
    ? [`--cert-file=${made(dataDir, "server.pem")}`, `--key-file=${made(dataDir, "server-key.pem")}`]
    : sameWords(given, ["cert-file", "key-file"]);
  const trust = sameWords(given, ["trusted-ca-file", "client-crl-file", "client-cert-allowed-hostname"]);
  return { words: [...files, ...trust], isMade };
}

function peerWords(given: GivenFlags, { dataDir, peers }: Traffic, say: LauncherDeps["say"]): Side {
  const isMade = isAutomatic(given, { flag: "peer-auto-tls", file: "peer-cert-file" }, say);
  const hasFiles = textOf(given, "peer-cert-file") !== "";
  const schemes = new Set(peers.map(({ scheme }) => scheme));
  if (schemes.size > 1)
    throw usage(
      "some URLs of --listen-peer-urls are http:// and some https://: members talk in one way only",
    );
  if (!schemes.has("https")) {
    if (hasFiles || isMade)
      say("members talk in clear, as the http:// of their URLs says: certificates make no difference");
    const open = peers.find(({ isLocal }) => !isLocal);
    if (open === undefined) return inClear;
    say(`members talk in clear on ${open.text}, where whoever reaches it may say anything`);
    return { words: ["--insecure-peers"], isMade: false };
  }
  if (!hasFiles && !isMade)
    throw usage(
      "--listen-peer-urls is https://, which needs --peer-cert-file, --peer-key-file and --peer-trusted-ca-file, or --peer-auto-tls",
    );
  const names = sameWords(given, [
    "peer-trusted-ca-file",
    "peer-crl-file",
    "peer-cert-allowed-cn",
    "peer-cert-allowed-hostname",
  ]);
  if (!isMade) return { words: [...sameWords(given, ["peer-cert-file", "peer-key-file"]), ...names], isMade };
  say("certificates that members make themselves prove nothing: whoever reaches a member may say anything");
  const files = [
    `--peer-cert-file=${made(dataDir, "peer.pem")}`,
    `--peer-key-file=${made(dataDir, "peer-key.pem")}`,
  ];
  return { words: [...files, "--insecure-peers"], isMade };
}

function isAutomatic(
  given: GivenFlags,
  { flag, file }: { readonly flag: EtcdFlagName; readonly file: EtcdFlagName },
  say: LauncherDeps["say"],
): boolean {
  if (!isOn(given, flag)) return false;
  if (textOf(given, file) === "") return true;
  say(`${sourceOf(given, flag)} makes no difference: there is a certificate already`);
  return false;
}

const directory = (dataDir: string): string => join(dataDir, "fixtures");
const made = (dataDir: string, file: string): string => join(directory(dataDir), file);

async function makeFiles({ dataDir, hosts }: Traffic): Promise<void> {
  const { CertificatesError, makeCertificates } = await import("@dkv/certificates");
  try {
    mkdirSync(directory(dataDir), { recursive: true, mode: 0o700 });
    await makeCertificates({ directory: directory(dataDir), hosts });
  } catch (error) {
    if (!(error instanceof CertificatesError) && !(error instanceof Error && "syscall" in error)) throw error;
    throw new StartupError("environment", `certificates cannot be made: ${error.message}`, { cause: error });
  }
}

/** Those that have the same name in dkv and are given. */
function sameWords(given: GivenFlags, names: readonly EtcdFlagName[]): readonly string[] {
  return names.flatMap((name) =>
    textOf(given, name) === "" || !given.has(name) ? [] : [`--${name}=${textOf(given, name)}`],
  );
}
