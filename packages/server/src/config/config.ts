/** Turns the flags' texts into a configuration that holds together, or says in one line why not. */
import { formatAddress, type HostPort } from "../platform/address.ts";
import type { TlsPaths } from "../platform/tls-files.ts";
import { usage, ValueReader } from "./value-reader.ts";
import type { Values } from "./values.ts";

export interface Config {
  readonly name: string;
  readonly dataDir: string;
  readonly initialCluster: readonly { readonly name: string; readonly address: string }[];
  readonly initialClusterState: "new" | "existing";
  readonly initialClusterToken: string;
  readonly listenPeerAddress: HostPort;
  readonly listenClientAddress: HostPort;
  /** Empty if clients cannot be told one. */
  readonly advertiseClientAddress: string;
  readonly advertisedNodes: ReadonlyMap<string, string>;
  readonly peerTls: TlsPaths | undefined;
  readonly clientTls: TlsPaths | undefined;
  readonly heartbeatIntervalMs: number;
  readonly electionTimeoutMs: number;
  readonly maxRequestBytes: number;
  readonly logLevel: LogLevel;
  readonly logFormat: "text" | "json";
}

/** A request has to fit in a frame from one member to another, with all that goes along with it. */
const mostRequestBytes = 32 * 2 ** 20;

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Throws a StartupError of kind `usage` for the first thing that is wrong. */
export function readConfig(values: Values): Config {
  const reader = new ValueReader(values);
  const initialCluster = reader.pairs("initial-cluster");
  const name = reader.required("name");
  const timing = readTiming(reader);
  const config: Config = {
    name,
    dataDir: reader.required("data-dir"),
    initialCluster,
    initialClusterState: reader.choice("initial-cluster-state", ["new", "existing"]),
    initialClusterToken: reader.required("initial-cluster-token"),
    listenPeerAddress: reader.address("listen-peer-address"),
    listenClientAddress: reader.address("listen-client-address"),
    advertiseClientAddress: advertisedClientAddress(reader),
    advertisedNodes: new Map(reader.pairs("advertise-nodes").map((node) => [node.name, node.address])),
    peerTls: readPeerTls(reader),
    clientTls: readClientTls(reader),
    ...timing,
    maxRequestBytes: reader.count("max-request-bytes", { least: 1, most: mostRequestBytes }),
    logLevel: reader.choice("log-level", ["debug", "info", "warn", "error"]),
    logFormat: reader.choice("log-format", ["text", "json"]),
  };
  checkInitialCluster(config, reader);
  checkPeersAreSafe(config, reader);
  return config;
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

function checkInitialCluster(config: Config, reader: ValueReader): void {
  const { initialCluster, name } = config;
  // A member that has been started before may come without it; whoever bootstraps checks that.
  if (initialCluster.length === 0) return;
  const own = initialCluster.find((member) => member.name === name);
  if (own === undefined) {
    const known = initialCluster.map((member) => member.name).join(", ");
    throw usage(
      `--name ${name} is not in --initial-cluster, which has ${known}; use one of these names or add ${name}=HOST:PORT`,
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
  const advertised = reader.optional("advertise-peer-address");
  if (advertised !== undefined && formatAddress(reader.address("advertise-peer-address")) !== own.address) {
    throw usage(
      `--advertise-peer-address ${advertised} differs from ${name}=${own.address} in --initial-cluster; make them equal`,
    );
  }
}

function checkPeersAreSafe(config: Config, reader: ValueReader): void {
  if (config.peerTls !== undefined || reader.isOn("insecure-peers")) return;
  const { host } = config.listenPeerAddress;
  if (host === "localhost" || host === "::1" || host?.startsWith("127.") === true) return;
  throw usage(
    `peers would talk in clear on ${formatAddress(config.listenPeerAddress)}: give --peer-cert-file, --peer-key-file and ` +
      "--peer-trusted-ca-file (make certs makes them), listen on localhost, or say --insecure-peers",
  );
}
