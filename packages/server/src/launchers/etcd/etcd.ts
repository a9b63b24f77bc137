/** `dkv-etcd`, or `dkv etcd`: a member that is started by the flags and the environment of etcd. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { usage } from "../../config/value-reader.ts";
import { StartupError } from "../../platform/startup-error.ts";
import { holdsMember } from "../../storage/open-storage.ts";
import { etcdVersion, version } from "../../version.ts";
import type { Launch, LauncherDeps } from "../launcher.ts";
import { settleFates } from "./fates.ts";
import { gatherEtcdFlags } from "./given.ts";
import { etcdHelp } from "./help.ts";
import { securityWords } from "./security.ts";
import { clusterIn, type EtcdUrl, urlsIn } from "./urls.ts";
import { type GivenFlags, isOn, sourceOf, textOf } from "./values.ts";
import { plainWords, settersOf } from "./words.ts";

/** Clients compare the first line with others of its kind. */
const versionText = `etcd Version: ${etcdVersion}
dkv Version: ${version}
The API is that of this version of etcd, and the rest is dkv's own.`;

const defaultPeerUrl = "http://localhost:2380";

/** Other commands of the same program. */
const commands = ["gateway", "grpc-proxy"];

/** Rejects with a StartupError. */
export async function etcd(words: readonly string[], deps: LauncherDeps): Promise<Launch> {
  const command = commands.find((one) => one === words[0]);
  if (command !== undefined)
    throw usage(`there is no ${command} here: that of etcd itself works in front of dkv`);
  const commandLine = await gatherEtcdFlags(words, deps);
  if (commandLine.kind === "help") return { kind: "print", text: etcdHelp() };
  if (commandLine.kind === "version") return { kind: "print", text: versionText };
  const { given } = commandLine;
  settleFates(given, deps.say);
  const place = placeOf(given, deps.say);
  refuseEtcdsData(place.dataDir, given);
  return {
    kind: "start",
    words: [
      ...plainWords(given, deps.say),
      ...placeWords(place),
      ...(await securityWords(given, { ...place, hosts: hostsOf(place) }, deps.say)),
      ...recoveryWords(given, place.dataDir, deps.say),
    ],
    setters: settersOf(given),
    manners: { readyLine: "ready to serve client requests", diesOfSignals: true },
  };
}

/** Where the member is. */
interface Place {
  readonly name: string;
  readonly dataDir: string;
  readonly peers: readonly EtcdUrl[];
  readonly clients: readonly EtcdUrl[];
  readonly metrics: readonly EtcdUrl[];
  readonly advertisedClients: readonly EtcdUrl[];
  /** All URLs of each; a member is dialled at its first. */
  readonly cluster: ReadonlyMap<string, readonly EtcdUrl[]>;
}

function placeOf(given: GivenFlags, say: LauncherDeps["say"]): Place {
  const name = textOf(given, "name");
  if (name === "") throw usage(`${sourceOf(given, "name")} is empty; write a name for the member`);
  const dataDir = textOf(given, "data-dir") || `${name}.etcd`;
  const clients = [...urlsIn(given, "listen-client-urls"), ...urlsIn(given, "listen-client-http-urls")];
  return {
    name,
    dataDir,
    peers: urlsIn(given, "listen-peer-urls"),
    clients,
    metrics: urlsIn(given, "listen-metrics-urls"),
    advertisedClients: advertisedIn(given, clients, say),
    cluster: clusterOf(given, { name, dataDir }),
  };
}

/** Those at which it listens, if it is not told any. */
function advertisedIn(
  given: GivenFlags,
  clients: readonly EtcdUrl[],
  say: LauncherDeps["say"],
): readonly EtcdUrl[] {
  if (given.has("advertise-client-urls")) return urlsIn(given, "advertise-client-urls");
  const own = clients.filter(({ isEverywhere }) => !isEverywhere);
  if (given.has("listen-client-urls"))
    say(
      `clients are told ${own.length === 0 ? "no URL" : own.map(({ text }) => text).join(",")} of this member: give ` +
        "--advertise-client-urls if that is not where they find it",
    );
  return own;
}

/** Of one that names no members itself alone. */
function clusterOf(given: GivenFlags, { name, dataDir }: Pick<Place, "name" | "dataDir">): Place["cluster"] {
  const advertised = urlsIn(given, "initial-advertise-peer-urls");
  const named = clusterIn(given);
  if (named.size === 0) {
    const own = advertised.length > 0 ? advertised : [defaultUrl];
    return new Map([[name, own]]);
  }
  const own = named.get(name);
  const texts = (urls: readonly EtcdUrl[]): string => urls.map(({ text }) => text).join(",");
  // Who has data goes by that, whatever the flags say.
  const isWrong = own !== undefined && advertised.length > 0 && texts(own) !== texts(advertised);
  if (isWrong && !holdsMember(dataDir))
    throw usage(
      `${sourceOf(given, "initial-cluster")} has ${name} at ${texts(own)}, and ` +
        `${sourceOf(given, "initial-advertise-peer-urls")} is ${texts(advertised)}: make them equal`,
    );
  return named;
}

const defaultUrl: EtcdUrl = {
  text: defaultPeerUrl,
  scheme: "http",
  address: "localhost:2380",
  isLocal: true,
  isEverywhere: false,
};

function placeWords({
  dataDir,
  peers,
  clients,
  metrics,
  advertisedClients,
  cluster,
}: Place): readonly string[] {
  const [advertised] = advertisedClients;
  const endpoints = (urls: readonly EtcdUrl[]): string =>
    urls.map(({ scheme, address }) => `${scheme}://${address}`).join(",");
  const members = Array.from(cluster, ([name, [first]]) => `${name}=${first?.address ?? ""}`);
  return [
    `--data-dir=${dataDir}`,
    `--listen-peer-address=${peers.map(({ address }) => address).join(",")}`,
    `--listen-client-address=${endpoints(clients)}`,
    ...(metrics.length === 0 ? [] : [`--listen-metrics-address=${endpoints(metrics)}`]),
    ...(advertised === undefined ? [] : [`--advertise-client-address=${advertised.address}`]),
    ...(advertised === undefined
      ? []
      : [`--advertise-client-urls=${advertisedClients.map(({ text }) => text).join(",")}`]),
    `--initial-cluster=${members.join(",")}`,
  ];
}

/** Everywhere that somebody may want to go to. */
function hostsOf({ name, peers, clients, metrics, advertisedClients, cluster }: Place): readonly string[] {
  const urls = [...peers, ...clients, ...metrics, ...advertisedClients, ...(cluster.get(name) ?? [])];
  const hosts = urls.map(({ address }) => address.replace(/:\d+$/, "").replaceAll(/[[\]]/g, ""));
  return [...new Set(hosts)].filter((host) => host !== "" && host !== "0.0.0.0" && host !== "::");
}

/** Without data etcd begins a cluster, whatever this flag says. */
function recoveryWords(given: GivenFlags, dataDir: string, say: LauncherDeps["say"]): readonly string[] {
  if (!isOn(given, "force-new-cluster")) return [];
  if (holdsMember(dataDir)) return ["--force-new-cluster", "--yes"];
  say(
    `${sourceOf(given, "force-new-cluster")} makes no difference: ${dataDir} holds no member that could go on`,
  );
  return [];
}

/** It would be left there, and somebody would look for it in vain. */
function refuseEtcdsData(dataDir: string, given: GivenFlags): void {
  if (!existsSync(join(dataDir, "member", "wal")) && !existsSync(join(dataDir, "member", "snap"))) return;
  throw new StartupError(
    "environment",
    `${dataDir} holds the data of etcd itself, which dkv does not read: give ${sourceOf(given, "data-dir")} another ` +
      "directory, and copy the keys with etcdctl make-mirror, or start etcd again",
  );
}
