/**
 * The flags of dkv, as one table: the help text, the environment variables and the config file are all
 * read off it. A value given on the command line wins over the environment, that over the config file,
 * that over the default.
 */

interface Flag {
  readonly describe: string;
  /** What stands for a value in the help text. */
  readonly value: string;
  readonly group:
    | "Member"
    | "Cluster"
    | "Network"
    | "TLS"
    | "Timing and limits"
    | "Disk"
    | "Recovery"
    | "Logs";
  readonly default?: string;
  /** May be given several times; items may also be separated by commas. */
  readonly list?: true;
  /** Takes no value. */
  readonly switch?: true;
}

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
    value: "HOST:PORT",
    default: ":2380",
    describe: "Address to listen on for peer traffic",
  },
  "listen-client-address": {
    group: "Network",
    value: "HOST:PORT",
    default: ":3000",
    describe: "Address to listen on for client traffic",
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
  "advertise-nodes": {
    group: "Network",
    value: "NAME=HOST:PORT,...",
    list: true,
    describe: "Where clients reach the members, if that differs from what each one advertises",
  },
  "peer-cert-file": { group: "TLS", value: "FILE", describe: "Certificate of this member for peer traffic" },
  "peer-key-file": { group: "TLS", value: "FILE", describe: "Key of --peer-cert-file" },
  "peer-trusted-ca-file": {
    group: "TLS",
    value: "FILE",
    describe: "CA that the peers' certificates come from",
  },
  "cert-file": { group: "TLS", value: "FILE", describe: "Certificate of this member for client traffic" },
  "key-file": { group: "TLS", value: "FILE", describe: "Key of --cert-file" },
  "trusted-ca-file": {
    group: "TLS",
    value: "FILE",
    describe: "CA that clients' certificates must come from; without it clients need none",
  },
  "insecure-peers": {
    group: "TLS",
    value: "",
    switch: true,
    describe: "Allow peer traffic in clear on addresses beyond this machine",
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
    value: "text|json",
    default: "text",
    describe: "One readable line an event, or one JSON object",
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
