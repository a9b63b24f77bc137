/** Turns the flags' texts into a configuration that holds together, or says in one line why not. */
import { maxAddressBytes, maxMemberRows, maxNameBytes } from "../codec/membership-codec.ts";
import { formatAddress, type HostPort } from "../platform/address.ts";
import type { TlsPaths } from "../platform/tls-files.ts";
import { usage, ValueReader } from "./value-reader.ts";
import type { Values } from "./values.ts";

export interface Config {
  readonly name: string;
  readonly dataDir: string;
  /**
   * All members, if the cluster is new; else some that can be asked, this one perhaps among them. Only a
   * first start goes by it, so {@link checkInitialCluster} is left to that.
   */
  readonly initialCluster: readonly { readonly name: string; readonly address: string }[];
  readonly initialClusterState: "new" | "existing";
  readonly initialClusterToken: string;
  readonly listenPeerAddress: HostPort;
  readonly listenClientAddress: HostPort;
  /** As it is given; undefined unless it is. */
  readonly advertisePeerAddress: string | undefined;
  /** Empty if clients cannot be told one. */
  readonly advertiseClientAddress: string;
  readonly advertisedNodes: ReadonlyMap<string, string>;
  readonly peerTls: TlsPaths | undefined;
  /** Whether peers may talk in clear beyond this machine: {@link checkPeersAreSafe}. */
  readonly insecurePeers: boolean;
  readonly clientTls: TlsPaths | undefined;
  readonly heartbeatIntervalMs: number;
  readonly electionTimeoutMs: number;
  readonly maxRequestBytes: number;
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
  /** How often members compare what they have stored; undefined: only when asked to. */
  readonly corruptCheckIntervalMs: number | undefined;
  /** Whether this member goes on as the only one of its cluster. Confirmed. */
  readonly forceNewCluster: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat: "text" | "json";
}

/** A request has to fit in a frame from one member to another, with all that goes along with it. */
const mostRequestBytes = 32 * 2 ** 20;

/** Nobody needs as many; more would only hide a slip of the pen. */
const mostEntries = 1_000_000_000;

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Throws a StartupError of kind `usage` for the first thing that is wrong. */
export function readConfig(values: Values): Config {
  const reader = new ValueReader(values);
  const initialCluster = reader.pairs("initial-cluster");
  const name = reader.required("name");
  const timing = readTiming(reader);
  return {
    name,
    dataDir: reader.required("data-dir"),
    initialCluster,
    initialClusterState: reader.choice("initial-cluster-state", ["new", "existing"]),
    initialClusterToken: reader.required("initial-cluster-token"),
    listenPeerAddress: reader.address("listen-peer-address"),
    listenClientAddress: reader.address("listen-client-address"),
    advertisePeerAddress: advertisedPeerAddress(reader),
    advertiseClientAddress: advertisedClientAddress(reader),
    advertisedNodes: new Map(reader.pairs("advertise-nodes").map((node) => [node.name, node.address])),
    peerTls: readPeerTls(reader),
    insecurePeers: reader.isOn("insecure-peers"),
    clientTls: readClientTls(reader),
    ...timing,
    maxRequestBytes: reader.count("max-request-bytes", { least: 1, most: mostRequestBytes }),
    autoPromote: reader.choice("auto-promote", ["true", "false"]) === "true",
    autopilotCleanupAfterMs: readCleanupAfter(reader, timing),
    snapshotCount: reader.count("snapshot-count", { least: 1, most: mostEntries }),
    snapshotCatchupEntries: reader.count("snapshot-catchup-entries", { least: 1, most: mostEntries }),
    diskFreeReserveBytes: reader.bytes("disk-free-reserve"),
    corruptCheckIntervalMs: reader.durationOrNever("corrupt-check-interval"),
    forceNewCluster: readForceNewCluster(reader),
    logLevel: reader.choice("log-level", ["debug", "info", "warn", "error"]),
    logFormat: reader.choice("log-format", ["text", "json"]),
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

function advertisedClientAddress(reader: ValueReader): string {
  const given = reader.optional("advertise-client-address");
  if (given !== undefined) return formatAddress(reader.address("advertise-client-address"));
  const listen = reader.address("listen-client-address");
  const namesHost = listen.host !== undefined && listen.host !== "0.0.0.0" && listen.host !== "::";
  return namesHost ? formatAddress(listen) : "";
}

function readPeerTls(reader: ValueReader): TlsPaths | undefined {
  const [certFile, keyFile, trustedCaFile] = reader.allOrNone([
    "peer-cert-file",
    "peer-key-file",
    "peer-trusted-ca-file",
  ]);
  if (certFile === undefined || keyFile === undefined) return undefined;
  return { certFile, keyFile, trustedCaFile };
}

function readClientTls(reader: ValueReader): TlsPaths | undefined {
  const [certFile, keyFile] = reader.allOrNone(["cert-file", "key-file"]);
  const trustedCaFile = reader.optional("trusted-ca-file");
  if (certFile === undefined || keyFile === undefined) {
    if (trustedCaFile !== undefined) {
      throw usage(
        "--trusted-ca-file is given without --cert-file and --key-file; give all three, or none for cleartext",
      );
    }
    return undefined;
  }
  return { certFile, keyFile, trustedCaFile };
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
  listenPeerAddress,
}: Pick<Config, "peerTls" | "insecurePeers" | "listenPeerAddress">): void {
  if (peerTls !== undefined || insecurePeers) return;
  const { host } = listenPeerAddress;
  if (host === "localhost" || host === "::1" || host?.startsWith("127.") === true) return;
  throw usage(
    `peers would talk in clear on ${formatAddress(listenPeerAddress)}: give --peer-cert-file, --peer-key-file and ` +
      "--peer-trusted-ca-file (make certs makes them), listen on localhost, or say --insecure-peers",
  );
}
