/** Turns the flags' texts into a configuration that holds together, or says in one line why not. */
import { maxAddressBytes, maxMemberRows, maxNameBytes } from "../codec/membership-codec.ts";
import { formatAddress, type ListenAddress } from "../platform/address.ts";
import { checkApart } from "../platform/listening.ts";
import type { TlsPaths } from "../platform/tls-files.ts";
import { type AuthConfig, readAuth } from "./auth.ts";
import {
  advertisedClientAddress,
  advertisedClientUrls,
  type ClientPort,
  listenedAddress,
  listenedClientPorts,
  listenedPeerAddresses,
  listenings,
  portsOf,
} from "./listening.ts";
import { readClientTls, readPeerTls } from "./tls.ts";
import { type Setters, usage, ValueReader } from "./value-reader.ts";
import type { Values } from "./values.ts";

export interface Config {
  readonly name: string;
  readonly dataDir: string;
  /**
   * All members, if the cluster is new; else some that can be asked, this one perhaps among them. Only a
   * first start goes by it, so {@link checkInitialCluster} is left to that.
   */
  readonly initialCluster: readonly { readonly name: string; readonly address: string }[];
  /** What names them, unless that is dkv's own flag. */
  readonly initialClusterSetBy: string | undefined;
  readonly initialClusterState: "new" | "existing";
  readonly initialClusterToken: string;
  readonly listenPeerAddresses: readonly ListenAddress[];
  readonly clientPorts: readonly [ClientPort, ...ClientPort[]];
  /** Where nothing but health and metrics is served. */
  readonly metricsPorts: readonly ClientPort[];
  /** As it is given; undefined unless it is. */
  readonly advertisePeerAddress: string | undefined;
  /** Empty if clients cannot be told one. */
  readonly advertiseClientAddress: string;
  /** The same for clients that want URLs; none if that address will do. */
  readonly advertiseClientUrls: readonly string[];
  readonly advertisedNodes: ReadonlyMap<string, string>;
  /** Where the text protocol is served; undefined: nowhere. */
  readonly text: TextProtocol | undefined;
  /** Where the binary protocol is served; undefined: nowhere. */
  readonly listenBinaryAddress: ListenAddress | undefined;
  /** Whether the client port also serves keys and members by the query of a URL. */
  readonly queryInterface: boolean;
  /** Whether the client port is for this machine alone because of that, and nobody asked for it. */
  readonly isClientPortKeptHere: boolean;
  readonly peerTls: TlsPaths | undefined;
  /** Whether peers may talk in clear beyond this machine: {@link checkPeersAreSafe}. */
  readonly insecurePeers: boolean;
  readonly clientTls: TlsPaths | undefined;
  readonly auth: AuthConfig;
  readonly heartbeatIntervalMs: number;
  readonly electionTimeoutMs: number;
  /** Time between two times at which watches of etcd's clients are told how far they have come. */
  readonly watchProgressIntervalMs: number;
  readonly maxRequestBytes: number;
  /** In one list of a transaction of clients of etcd. */
  readonly maxTxnOps: number;
  /** Whether a leader makes a learner that has caught up a voter. */
  readonly autoPromote: boolean;
  /** A member that has been silent for so long is removed; undefined: none ever is. */
  readonly autopilotCleanupAfterMs: number | undefined;
  /** Applied entries beyond the catch-up tail that may gather before the log is compacted. */
  readonly snapshotCount: number;
  /** Applied entries that compaction keeps for slow followers. */
  readonly snapshotCatchupEntries: number;
  /** With fewer bytes free below `dataDir` writes are refused; 0: never. */
  readonly diskFreeReserveBytes: number;
  /** With more state on disk than that writes are refused; 0: never. */
  readonly quotaBytes: number;
  /** Which history is given up without being asked to; undefined: none. */
  readonly autoCompaction: AutoCompactionChoice | undefined;
  /** How often members compare what they have stored; undefined: only when asked to. */
  readonly corruptCheckIntervalMs: number | undefined;
  /** Whether this member goes on as the only one of its cluster. Confirmed. */
  readonly forceNewCluster: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  /** Files, or `stderr`, or `stdout`. */
  readonly logOutputs: readonly string[];
}

export interface TextProtocol {
  readonly listenAddress: ListenAddress;
  /** Whether a member that does not lead serves it too, instead of naming the leader. */
  readonly isForwarded: boolean;
}

export type AutoCompactionChoice =
  /** What is older than that. */
  | { readonly mode: "periodic"; readonly retentionMs: number }
  /** All but so many of the last revisions. */
  | { readonly mode: "revision"; readonly revisions: number };

/** A request has to fit in a frame from one member to another, with all that goes along with it. */
const mostRequestBytes = 32 * 2 ** 20;

/** More would not fit in a request. */
const mostTxnOps = 100_000;

/** Nobody needs as many; more would only hide a slip of the pen. */
const mostEntries = 1_000_000_000;

export type LogFormat = "text" | "json" | "zap";

export type LogLevel = "debug" | "info" | "warn" | "error";

/**
 * Throws a StartupError of kind `usage` for the first thing that is wrong.
 *
 * @param setters of flags that were not written by a person
 */
export function readConfig(values: Values, setters: Setters = {}): Config {
  const config = configIn(new ValueReader(values, setters), setters);
  checkApart(listenings(config));
  return config;
}

function configIn(reader: ValueReader, setters: Setters): Config {
  const initialCluster = reader.pairs("initial-cluster");
  const name = reader.required("name");
  const timing = readTiming(reader);
  const clientTls = readClientTls(reader);
  const clientPorts = listenedClientPorts(reader, clientTls);
  return {
    name,
    dataDir: reader.required("data-dir"),
    initialCluster,
    initialClusterSetBy: setters["initial-cluster"],
    initialClusterState: reader.choice("initial-cluster-state", ["new", "existing"]),
    initialClusterToken: reader.required("initial-cluster-token"),
    listenPeerAddresses: listenedPeerAddresses(reader),
    clientPorts,
    metricsPorts: portsOf(reader, "listen-metrics-address", clientTls),
    advertisePeerAddress: advertisedPeerAddress(reader),
    advertiseClientAddress: advertisedClientAddress(reader, clientPorts),
    advertiseClientUrls: advertisedClientUrls(reader),
    advertisedNodes: new Map(reader.pairs("advertise-nodes").map((node) => [node.name, node.address])),
    text: readTextProtocol(reader),
    listenBinaryAddress: listenedAddress(reader, "listen-binary-address"),
    queryInterface: reader.isOn("query-interface"),
    isClientPortKeptHere: reader.isOn("query-interface") && !reader.isGiven("listen-client-address"),
    peerTls: readPeerTls(reader),
    insecurePeers: reader.isOn("insecure-peers"),
    clientTls,
    auth: readAuth(reader),
    ...timing,
    watchProgressIntervalMs: reader.duration("watch-progress-notify-interval", { ms: 100 }),
    maxRequestBytes: reader.count("max-request-bytes", { least: 1, most: mostRequestBytes }),
    maxTxnOps: reader.count("max-txn-ops", { least: 1, most: mostTxnOps }),
    autoPromote: reader.choice("auto-promote", ["true", "false"]) === "true",
    autopilotCleanupAfterMs: readCleanupAfter(reader, timing),
    snapshotCount: reader.count("snapshot-count", { least: 1, most: mostEntries }),
    snapshotCatchupEntries: reader.count("snapshot-catchup-entries", { least: 1, most: mostEntries }),
    diskFreeReserveBytes: reader.bytes("disk-free-reserve"),
    quotaBytes: reader.bytes("quota-bytes"),
    autoCompaction: readAutoCompaction(reader),
    corruptCheckIntervalMs: reader.durationOrNever("corrupt-check-interval"),
    forceNewCluster: readForceNewCluster(reader),
    logLevel: reader.choice("log-level", ["debug", "info", "warn", "error"]),
    logFormat: reader.choice("log-format", ["text", "json", "zap"]),
    logOutputs: reader.list("log-output"),
  };
}

function readTiming(reader: ValueReader) {
  const heartbeatIntervalMs = reader.duration("heartbeat-interval");
  const electionTimeoutMs = reader.duration("election-timeout");
  if (electionTimeoutMs < 5 * heartbeatIntervalMs) {
    throw usage(
      `--election-timeout (${String(electionTimeoutMs)}ms) is less than 5 times --heartbeat-interval ` +
        `(${String(heartbeatIntervalMs)}ms): one late heartbeat would depose a healthy leader`,
    );
  }
  return { heartbeatIntervalMs, electionTimeoutMs };
}

/** Silence that an ordinary restart may take must not cost a member its place. */
function readCleanupAfter(
  reader: ValueReader,
  { electionTimeoutMs }: { readonly electionTimeoutMs: number },
): number | undefined {
  return reader.durationOrNever("autopilot-cleanup-after", {
    ms: Math.max(1000, 10 * electionTimeoutMs),
    because: "10 times --election-timeout, lest a member be removed that restarts",
  });
}

function readAutoCompaction(reader: ValueReader): AutoCompactionChoice | undefined {
  const name = "auto-compaction-retention";
  if (reader.choice("auto-compaction-mode", ["periodic", "revision"]) === "revision") {
    const revisions = reader.count(name, { least: 0, most: Number.MAX_SAFE_INTEGER });
    return revisions === 0 ? undefined : { mode: "revision", revisions };
  }
  const retentionMs = reader.hoursOrNever(name);
  return retentionMs === undefined ? undefined : { mode: "periodic", retentionMs };
}

function readForceNewCluster(reader: ValueReader): boolean {
  const isForced = reader.isOn("force-new-cluster");
  const isConfirmed = reader.isOn("yes");
  if (isForced && !isConfirmed) {
    throw usage(
      "--force-new-cluster makes this member the only one of its cluster: writes that only the other members " +
        "have are lost, acknowledged ones too, and the others must never run again with the data they have; " +
        "if a majority of them is lost for good, add --yes",
    );
  }
  if (isConfirmed && !isForced)
    throw usage("--yes confirms --force-new-cluster, which is not given; leave it out");
  return isForced;
}

export function advertisedPeerAddress(reader: ValueReader): string | undefined {
  const given = reader.optional("advertise-peer-address");
  return given === undefined ? undefined : formatAddress(reader.address("advertise-peer-address"));
}

function readTextProtocol(reader: ValueReader): TextProtocol | undefined {
  const listenAddress = listenedAddress(reader, "listen-text-address");
  const isForwarded = reader.isOn("text-forward");
  if (listenAddress !== undefined) return { listenAddress, isForwarded };
  if (isForwarded)
    throw usage(
      "--text-forward is given without --listen-text-address, where the text protocol would be served; give both or none",
    );
  return undefined;
}

/** Throws a StartupError of kind `usage` if these members cannot be a cluster with this one in it. */
export function checkInitialCluster(
  config: Pick<Config, "name" | "initialCluster" | "initialClusterState" | "advertisePeerAddress">,
): void {
  const { name, initialCluster, initialClusterState, advertisePeerAddress: advertised } = config;
  checkLengths(config);
  // Whoever bootstraps checks that there are some.
  if (initialCluster.length === 0) return;
  const own = initialCluster.find((member) => member.name === name);
  // Who joins asks the others; its own address is the one with which it was added.
  if (own === undefined && initialClusterState === "new") {
    const known = initialCluster.map((member) => member.name).join(", ");
    throw usage(
      `--name ${name} is not in --initial-cluster, which has ${known}; use one of these names or add ${name}=HOST:PORT`,
    );
  }
  if (own !== undefined && initialCluster.length === 1 && initialClusterState === "existing") {
    throw usage(
      `--initial-cluster has only ${name} itself, which asks the others who it is with ` +
        "--initial-cluster-state=existing: name at least one other member",
    );
  }
  for (const key of ["name", "address"] as const) {
    const seen = new Set<string>();
    for (const member of initialCluster) {
      if (seen.has(member[key]))
        throw usage(`--initial-cluster has the ${key} ${member[key]} twice; each member needs its own`);
      seen.add(member[key]);
    }
  }
  if (own === undefined || advertised === undefined || advertised === own.address) return;
  throw usage(
    `--advertise-peer-address ${advertised} differs from ${name}=${own.address} in --initial-cluster; make them equal`,
  );
}

/** What the membership table does not take, no cluster could agree upon. */
function checkLengths({ name, initialCluster }: Pick<Config, "name" | "initialCluster">): void {
  checkBytes("--name", name, maxNameBytes);
  if (initialCluster.length > maxMemberRows) {
    throw usage(
      `--initial-cluster has ${String(initialCluster.length)} members; name at most ${String(maxMemberRows)}`,
    );
  }
  for (const member of initialCluster) {
    checkBytes("--initial-cluster", member.name, maxNameBytes);
    checkBytes("--initial-cluster", member.address, maxAddressBytes);
  }
}

function checkBytes(where: string, text: string, most: number): void {
  const bytes = Buffer.byteLength(text);
  if (bytes > most)
    throw usage(
      `${where} has ${text.slice(0, 20)}..., of ${String(bytes)} bytes; write at most ${String(most)}`,
    );
}

/** Throws a StartupError of kind `usage` if peers would talk in clear beyond this machine, unbidden. */
export function checkPeersAreSafe({
  peerTls,
  insecurePeers,
  listenPeerAddresses,
}: Pick<Config, "peerTls" | "insecurePeers" | "listenPeerAddresses">): void {
  if (peerTls !== undefined || insecurePeers) return;
  const isHere = ({ host }: ListenAddress): boolean =>
    host === "localhost" || host === "::1" || host?.startsWith("127.") === true;
  const open = listenPeerAddresses.find((address) => !isHere(address));
  if (open === undefined) return;
  throw usage(
    `peers would talk in clear on ${formatAddress(open)}: give --peer-cert-file, --peer-key-file and ` +
      "--peer-trusted-ca-file (make certs makes them), listen on localhost, or say --insecure-peers",
  );
}
