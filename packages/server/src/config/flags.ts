/**
 * The flags of dkv, as one table: the help text, the environment variables and the config file are all
 * read off it. A value given on the command line wins over the environment, that over the config file,
 * that over the default.
 */
import type { Flag } from "./flag.ts";

export const flags = {
  name: {
    group: "Member",
    value: "NAME",
    describe:
      "Unique name for this member: as in --initial-cluster of a new cluster, or as it was added to an existing one",
  },
  "data-dir": {
    group: "Member",
    value: "DIR",
    default: "data",
    describe: "Directory that belongs to this member alone",
  },
  config: { group: "Member", value: "FILE", describe: "JSON file whose keys are the names of these flags" },
  "initial-cluster": {
    group: "Cluster",
    value: "NAME=HOST:PORT,...",
    list: true,
    describe:
      "All members of a new cluster with their peer addresses; of an existing one, members that can be asked",
  },
  "initial-cluster-state": {
    group: "Cluster",
    value: "new|existing",
    default: "new",
    describe: "Whether the cluster is being made now or is joined; ignored once the data directory is in use",
  },
  "initial-cluster-token": {
    group: "Cluster",
    value: "TEXT",
    default: "dkv-cluster",
    describe: "Tells clusters with the same members apart",
  },
  "auto-promote": {
    group: "Cluster",
    value: "true|false",
    default: "true",
    describe: "Whether a leader makes a learner a voter once it has caught up",
  },
  "autopilot-cleanup-after": {
    group: "Cluster",
    value: "DURATION",
    default: "0",
    describe:
      "Remove a member that has not answered for so long, if a majority of the others does; 0: never. At least 10 election timeouts",
  },
  "listen-peer-address": {
    group: "Network",
    value: "HOST:PORT,...",
    default: ":2380",
    list: true,
    describe: "Address to listen on for peer traffic, or several",
  },
  "listen-client-address": {
    group: "Network",
    value: "HOST:PORT,...",
    default: ":3000",
    list: true,
    describe:
      "Address to listen on for client traffic, or several; with http:// in front one is served in clear where there are certificates",
  },
  "listen-metrics-address": {
    group: "Network",
    value: "HOST:PORT,...",
    list: true,
    describe: "Serve health and metrics, and nothing else, here too; as --listen-client-address",
  },
  "advertise-peer-address": {
    group: "Network",
    value: "HOST:PORT",
    describe:
      "Where peers reach this member; must agree with its entry in --initial-cluster, which is the default",
  },
  "advertise-client-address": {
    group: "Network",
    value: "HOST:PORT",
    describe: "Where clients reach this member; default: --listen-client-address, if that names a host",
  },
  "advertise-client-urls": {
    group: "Network",
    value: "URL,...",
    list: true,
    describe:
      "What clients of etcd are told of where this member is reached; default: --advertise-client-address, as a URL",
  },
  "advertise-nodes": {
    group: "Network",
    value: "NAME=HOST:PORT,...",
    list: true,
    describe: "Where clients reach the members, if that differs from what each one advertises",
  },
  "listen-text-address": {
    group: "Network",
    value: "HOST:PORT",
    describe:
      "Serve the text protocol (set, get, getm, cas, delete) here too; without a host, to this machine alone; users are known by client certificates alone",
  },
  "text-forward": {
    group: "Network",
    value: "",
    switch: true,
    describe:
      "Serve the text protocol on members that do not lead too, instead of answering REDIRECT and the leader's --name",
  },
  "listen-binary-address": {
    group: "Network",
    value: "HOST:PORT",
    describe:
      "Serve the binary protocol (SET, GET, JOIN) here too; without a host, to this machine alone; users are known by client certificates alone",
  },
  "query-interface": {
    group: "Network",
    value: "",
    switch: true,
    describe:
      "Serve /get, /set, /delete, /join and /leave with parameters in the URL on the client port too, which is then for this machine alone unless --listen-client-address names a host, as it then has to; without authentication",
  },
  "peer-cert-file": { group: "TLS", value: "FILE", describe: "Certificate of this member for peer traffic" },
  "peer-key-file": { group: "TLS", value: "FILE", describe: "Key of --peer-cert-file" },
  "peer-trusted-ca-file": {
    group: "TLS",
    value: "FILE",
    describe: "CA that the peers' certificates come from",
  },
  "peer-crl-file": {
    group: "TLS",
    value: "FILE",
    describe: "Which of the peers' certificates are revoked, as PEM or DER; read again when it changes",
  },
  "peer-cert-allowed-cn": {
    group: "TLS",
    value: "NAME,...",
    list: true,
    describe: "Peers' certificates must have one of these common names",
  },
  "peer-cert-allowed-hostname": {
    group: "TLS",
    value: "HOST,...",
    list: true,
    describe: "Peers' certificates must be for one of these hosts",
  },
  "cert-file": { group: "TLS", value: "FILE", describe: "Certificate of this member for client traffic" },
  "key-file": { group: "TLS", value: "FILE", describe: "Key of --cert-file" },
  "trusted-ca-file": {
    group: "TLS",
    value: "FILE",
    describe: "CA that clients' certificates must come from; without it clients need none",
  },
  "client-crl-file": {
    group: "TLS",
    value: "FILE",
    describe: "Which of the clients' certificates are revoked, as PEM or DER; read again when it changes",
  },
  "client-cert-allowed-hostname": {
    group: "TLS",
    value: "HOST,...",
    list: true,
    describe: "Clients' certificates must be for one of these hosts",
  },
  "cipher-suites": {
    group: "TLS",
    value: "NAME,...",
    list: true,
    describe:
      "Which cipher suites clients and peers may use, by their IANA names; those of TLS 1.3 always. Default: Node's choice",
  },
  "tls-min-version": {
    group: "TLS",
    value: "TLS1.2|TLS1.3",
    default: "TLS1.2",
    describe: "Oldest version of TLS that clients and peers may use",
  },
  "tls-max-version": {
    group: "TLS",
    value: "TLS1.2|TLS1.3",
    describe: "Newest version of TLS that clients and peers may use; default: no limit",
  },
  "insecure-peers": {
    group: "TLS",
    value: "",
    switch: true,
    describe:
      "Allow peer traffic in clear on addresses beyond this machine; and TLS without --peer-trusted-ca-file, where every certificate will do",
  },
  "auth-token": {
    group: "Authentication",
    value: "simple|jwt,...",
    default: "simple",
    describe:
      "Tokens for those who give a password: simple, or jwt,sign-method=METHOD,pub-key=FILE,priv-key=FILE,ttl=DURATION with METHOD RS256, PS256, ES256 (or 384, 512), EdDSA, or HS256 with priv-key alone",
  },
  "auth-token-ttl": {
    group: "Authentication",
    value: "DURATION",
    default: "300s",
    describe: "How long a simple token is good that is not used; each use gives it all of its time again",
  },
  "bcrypt-cost": {
    group: "Authentication",
    value: "NUMBER",
    default: "10",
    describe: "How long a password takes to hash: one more takes twice as long, from 4 to 31",
  },
  "heartbeat-interval": {
    group: "Timing and limits",
    value: "DURATION",
    default: "100ms",
    describe: "How often a leader lets its followers know that it is there",
  },
  "election-timeout": {
    group: "Timing and limits",
    value: "DURATION",
    default: "1000ms",
    describe: "How long a follower waits for its leader before it campaigns; at least 5 heartbeats",
  },
  "max-request-bytes": {
    group: "Timing and limits",
    value: "BYTES",
    default: "1572864",
    describe: "Largest request that a client may send, at most 33554432 (32 MiB)",
  },
  "watch-progress-notify-interval": {
    group: "Timing and limits",
    value: "DURATION",
    default: "10m",
    describe:
      "How often watches of etcd's clients that want it, and were told nothing else, are told how far they have come; at least 100ms",
  },
  "max-txn-ops": {
    group: "Timing and limits",
    value: "COUNT",
    default: "128",
    describe: "Most operations in one list of a transaction of clients of etcd, at most 100000",
  },
  "snapshot-count": {
    group: "Disk",
    value: "ENTRIES",
    default: "10000",
    describe:
      "Applied log entries beyond --snapshot-catchup-entries that may gather before the log is compacted",
  },
  "snapshot-catchup-entries": {
    group: "Disk",
    value: "ENTRIES",
    default: "5000",
    describe: "Applied log entries that compaction keeps, so that slow followers need no snapshot",
  },
  "disk-free-reserve": {
    group: "Disk",
    value: "BYTES",
    default: "256MiB",
    describe:
      "With less room on the disk of --data-dir writes are refused, reads and deletes go on; 0: never",
  },
  "quota-bytes": {
    group: "Disk",
    value: "BYTES",
    default: "0",
    describe:
      "With more state on disk than that writes are refused, reads, deletes and compactions go on, until it is below 90 %; 0: no limit",
  },
  "auto-compaction-mode": {
    group: "Disk",
    value: "periodic|revision",
    default: "periodic",
    describe: "Whether --auto-compaction-retention is a time or a number of revisions",
  },
  "auto-compaction-retention": {
    group: "Disk",
    value: "DURATION|REVISIONS",
    default: "0",
    describe:
      "Give up history that is older: 30m, 72h, or a bare number of hours; or, by revision, all but so many revisions; 0: never",
  },
  "corrupt-check-interval": {
    group: "Disk",
    value: "DURATION",
    default: "0",
    describe:
      "How often the leader compares what the members have stored, which reads all of it; 0: only when asked to",
  },
  "force-new-cluster": {
    group: "Recovery",
    value: "",
    switch: true,
    describe:
      "Make this member the only one of its cluster, with what it has stored: for when a majority is lost for good. Needs --yes",
  },
  yes: {
    group: "Recovery",
    value: "",
    switch: true,
    describe: "Confirm --force-new-cluster: what only the lost members had stored is given up",
  },
  "log-level": {
    group: "Logs",
    value: "LEVEL",
    default: "info",
    describe: "debug, info, warn or error",
  },
  "log-format": {
    group: "Logs",
    value: "text|json|zap",
    default: "text",
    describe:
      "One readable line an event, or one JSON object, or one with the names that etcd gives its fields",
  },
  "log-output": {
    group: "Logs",
    value: "stderr|stdout|FILE,...",
    default: "stderr",
    list: true,
    describe: "Where lines go; a file is appended to",
  },
} as const satisfies Record<string, Flag>;

export type FlagName = keyof typeof flags;

export const flagNames = Object.keys(flags) as readonly FlagName[];

/** The flag's row, with the fields that only some rows have. */
export function flag(name: FlagName): Flag {
  return flags[name];
}

/** Name of the environment variable that stands for a flag: DKV_DATA_DIR for data-dir. */
export function environmentName(name: FlagName): string {
  return `DKV_${name.toUpperCase().replaceAll("-", "_")}`;
}
