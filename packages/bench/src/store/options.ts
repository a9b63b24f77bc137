import { describeFlags, environmentName, FlagReader } from "../flags.ts";
import { valueBytesMax } from "../options.ts";

export const measureNames = ["watch", "watchers", "leases", "keys", "range", "compaction"] as const;
export type MeasureName = (typeof measureNames)[number];

/** The flags in one table: the help text and the environment variables are read off it. */
const flags = {
  only: { value: "NAME,...", default: measureNames.join(","), describe: "what is measured" },
  "value-bytes": { value: "N", default: "256", describe: "size of a value; values are random bytes" },
  watches: { value: "N", default: "1000", describe: "watch, leases: watches of one prefix, at the leader" },
  "watch-rate": { value: "N", default: "200", describe: "watch, leases: writes a second below that prefix" },
  "watch-connections": {
    value: "N",
    default: "10",
    describe: "watch, leases: connections that share the watches",
  },
  watchers: {
    value: "N",
    default: "100000",
    describe: "watchers: of one member, in a process without doors",
  },
  streams: { value: "N", default: "100", describe: "watchers: streams that share them" },
  "watch-calls": {
    value: "N",
    default: "10000",
    describe: "watchers: calls of Watch that a real member holds on 100 connections; 0: none",
  },
  leases: { value: "N", default: "100000", describe: "leases: how many there are, with a key each" },
  "lease-ttl": { value: "N", default: "60", describe: "leases: seconds that each is granted" },
  "lease-streams": {
    value: "N",
    default: "10",
    describe: "leases: streams that share the keep-alives, each on a connection of its own",
  },
  "lease-target": {
    value: "leader|all",
    default: "all",
    describe: "leases: members that these streams go to",
  },
  "lease-expiry": {
    value: "",
    default: "false",
    describe: "leases: leave them alone in the end, and wait until all have ended",
  },
  keys: { value: "N", default: "1000000", describe: "keys, range, compaction: keys that the cluster holds" },
  restarts: { value: "N", default: "3", describe: "keys: how often, after SIGTERM and after kill -9 each" },
  "range-keys": { value: "N", default: "10000", describe: "range: keys of one range" },
  ranges: { value: "N", default: "30", describe: "range: how many are asked for, one after the other" },
  revisions: { value: "N", default: "1000000", describe: "compaction: old revisions that are given up" },
  rate: { value: "N", default: "2000", describe: "leases, compaction: writes a second, answered or not" },
  warmup: { value: "N", default: "15", describe: "seconds of a load before anything is measured" },
  seconds: { value: "N", default: "30", describe: "seconds of a load that are measured, or count as normal" },
  patience: {
    value: "N",
    default: "3600",
    describe: "leases, compaction: seconds in which expiry or removal is done",
  },
  settle: { value: "N", default: "5", describe: "seconds of rest before memory is looked at" },
  tls: { value: "", default: "false", describe: "encrypt, towards clients and mutually between peers" },
  seed: { value: "N", default: "1", describe: "for keys, values and their order" },
  "data-dir": {
    value: "DIR",
    default: "",
    describe: "where members keep their data; default: the temporary directory",
  },
  profile: {
    value: "DIR",
    default: "",
    describe: "leave a CPU profile of each member there, which takes memory",
  },
  json: {
    value: "FILE",
    default: "",
    describe: "where the results go; default: bench-results/store-DATE-TIME.json",
  },
} as const;

const prefix = "DKV_BENCH_STORE_";

export interface StoreOptions {
  readonly only: readonly MeasureName[];
  readonly valueBytes: number;
  readonly watches: number;
  /** Writes a second. */
  readonly watchRate: number;
  readonly watchConnections: number;
  readonly watchers: number;
  readonly streams: number;
  readonly watchCalls: number;
  readonly leases: number;
  readonly leaseTtlSeconds: number;
  readonly leaseStreams: number;
  readonly leaseTarget: "leader" | "all";
  readonly leaseExpiry: boolean;
  readonly keys: number;
  readonly restarts: number;
  readonly rangeKeys: number;
  readonly ranges: number;
  readonly revisions: number;
  /** Writes a second. */
  readonly rate: number;
  readonly warmupSeconds: number;
  readonly seconds: number;
  readonly patienceSeconds: number;
  readonly settleSeconds: number;
  readonly security: "cleartext" | "tls";
  readonly seed: number;
  /** Absolute, as are the other two. */
  readonly dataDir: string | undefined;
  readonly profileDir: string | undefined;
  readonly jsonFile: string | undefined;
}

/** Reads flags, then the environment, then defaults; `"help"` if that is asked for. Throws a UsageError. */
export function readStoreOptions(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): StoreOptions | "help" {
  const reader = new FlagReader(flags, { args, environment, prefix });
  if (reader.asksForHelp) return "help";
  const count = (name: keyof typeof flags, min: number, max: number): number =>
    reader.number(name, { min, max, whole: true });
  return {
    only: reader.choices("only", measureNames),
    // A watched value holds the moment of its write.
    valueBytes: count("value-bytes", 8, valueBytesMax),
    watches: count("watches", 1, 20_000),
    watchRate: reader.number("watch-rate", { min: 1, max: 10_000 }),
    watchConnections: count("watch-connections", 1, 1000),
    watchers: count("watchers", 1, 500_000),
    streams: count("streams", 1, 20_000),
    watchCalls: count("watch-calls", 0, 20_000),
    leases: count("leases", 1, 1_000_000),
    leaseTtlSeconds: count("lease-ttl", 2, 3600),
    leaseStreams: count("lease-streams", 1, 1000),
    leaseTarget: reader.choice("lease-target", ["leader", "all"]),
    leaseExpiry: reader.isSet("lease-expiry"),
    keys: count("keys", 1, 10_000_000),
    restarts: count("restarts", 1, 1000),
    rangeKeys: count("range-keys", 1, 1_000_000),
    ranges: count("ranges", 1, 10_000),
    revisions: count("revisions", 1, 100_000_000),
    rate: reader.number("rate", { min: 1, max: 100_000 }),
    warmupSeconds: reader.number("warmup", { min: 0 }),
    seconds: reader.number("seconds", { min: 0.5 }),
    patienceSeconds: count("patience", 1, 1_000_000),
    settleSeconds: reader.number("settle", { min: 0 }),
    security: reader.isSet("tls") ? "tls" : "cleartext",
    seed: count("seed", 0, 2 ** 32 - 1),
    dataDir: reader.path("data-dir"),
    profileDir: reader.path("profile"),
    jsonFile: reader.path("json"),
  };
}

export function storeHelpText(): string {
  return `Usage: make bench-store, or node packages/bench/dist/store/main.js [flags]

Measures what the store owes, on clusters of three real members on loopback that it starts itself:

  watch       --watches calls of Watch of one prefix at the leader, and --watch-rate writes a second below it:
              whether each watch is told of every write, once and in order, and the time from when a write was
              meant to be sent until a watch was told of it.
  watchers    The memory of --watchers watchers on --streams streams in a process of its own, which has a
              member's watches and no doors: dkv.v1 has one watch a stream. Beside it what --watch-calls calls
              of Watch cost a real member.
  leases      --leases leases of --lease-ttl seconds over etcd's API, with a key each, are kept alive by
              --lease-streams streams of LeaseKeepAlive: each three times in its time, evenly, for twice that
              time or for --seconds if that is longer. Beside it --rate writes a second, and the watches of
              watch with their own writes. Whether all leases and keys are still there, and how long an answer
              takes.
  keys        The memory that --keys keys take, above that of the same members when they were empty; then a
              follower is restarted, and the time to its first answer to a serializable read taken.
  range       --ranges ranges of --range-keys keys at the leader, and how long they hold its event loop: by
              the member's own clock, which it looks at each millisecond, and by small reads on another
              connection.
  compaction  All keys are set again until there are --revisions old revisions, which are given up under
              --rate writes a second: the latencies of those until everything is removed, beside the normal
              ones.

The members are loaded with a probe (packages/bench/src/store/probe), which does nothing until it is asked.

Examples:
  make bench-store
  make bench-store BENCH='--only watch,watchers'
  make bench-store BENCH='--only keys,range --keys 50000 --restarts 1'
  ${environmentName(prefix, "keys")}=50000 ${environmentName(prefix, "tls")}=true make bench-store

Flags (each also from the environment, as in the last example):
${describeFlags(flags)}
`;
}
