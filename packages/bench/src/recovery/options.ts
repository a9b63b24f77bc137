import { describeFlags, environmentName, FlagReader } from "../flags.ts";
import { valueBytesMax } from "../options.ts";

export const measureNames = ["join", "restart", "failover"] as const;
export type MeasureName = (typeof measureNames)[number];

/** The flags in one table: the help text and the environment variables are read off it. */
const flags = {
  only: { value: "NAME,...", default: measureNames.join(","), describe: "what is measured" },
  keys: { value: "N", default: "1000000", describe: "join, restart: keys that the cluster holds" },
  "value-bytes": { value: "N", default: "256", describe: "size of a value; values are random bytes" },
  rate: { value: "N", default: "2000", describe: "join: writes a second, whether or not they are answered" },
  warmup: { value: "N", default: "15", describe: "join: seconds of that load before anything is measured" },
  seconds: { value: "N", default: "30", describe: "join: seconds of that load that count as normal" },
  patience: { value: "N", default: "600", describe: "join: seconds in which the new member is promoted" },
  restarts: {
    value: "N",
    default: "5",
    describe: "restart: how often, after SIGTERM and after kill -9 each",
  },
  kills: { value: "N", default: "50", describe: "failover: how often the leader is killed" },
  "probe-rate": {
    value: "N",
    default: "200",
    describe: "failover: writes a second through the other members; one is the resolution",
  },
  "dkv-only": { value: "", default: "false", describe: "failover: leave etcd out, also where there is one" },
  "election-timeout": {
    value: "MS",
    default: "1000",
    describe: "of both systems; heartbeats come ten times as often",
  },
  target: { value: "leader|all", default: "leader", describe: "join: members that the writes go to" },
  tls: { value: "", default: "false", describe: "encrypt, towards clients and mutually between peers" },
  seed: { value: "N", default: "1", describe: "for keys, values and their order" },
  "data-dir": {
    value: "DIR",
    default: "",
    describe: "where members keep their data; default: the temporary directory",
  },
  profile: { value: "DIR", default: "", describe: "join: leave a CPU profile of each dkv member there" },
  json: {
    value: "FILE",
    default: "",
    describe: "where the results go; default: bench-results/recovery-DATE-TIME.json",
  },
} as const;

const prefix = "DKV_BENCH_RECOVERY_";

export interface RecoveryOptions {
  readonly only: readonly MeasureName[];
  readonly keys: number;
  readonly valueBytes: number;
  /** Writes a second. */
  readonly rate: number;
  readonly warmupSeconds: number;
  readonly seconds: number;
  readonly patienceSeconds: number;
  readonly restarts: number;
  readonly kills: number;
  /** Writes a second. */
  readonly probeRate: number;
  readonly dkvOnly: boolean;
  readonly electionTimeoutMs: number;
  readonly target: "leader" | "all";
  readonly security: "cleartext" | "tls";
  readonly seed: number;
  /** Absolute, as are the other two. */
  readonly dataDir: string | undefined;
  readonly profileDir: string | undefined;
  readonly jsonFile: string | undefined;
}

/** Reads flags, then the environment, then defaults; `"help"` if that is asked for. Throws a UsageError. */
export function readRecoveryOptions(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): RecoveryOptions | "help" {
  const reader = new FlagReader(flags, { args, environment, prefix });
  if (reader.asksForHelp) return "help";
  return {
    only: reader.choices("only", measureNames),
    keys: reader.number("keys", { min: 1, max: 10_000_000, whole: true }),
    valueBytes: reader.number("value-bytes", { min: 1, max: valueBytesMax, whole: true }),
    rate: reader.number("rate", { min: 1, max: 100_000 }),
    warmupSeconds: reader.number("warmup", { min: 0 }),
    seconds: reader.number("seconds", { min: 1 }),
    patienceSeconds: reader.number("patience", { min: 1 }),
    restarts: reader.number("restarts", { min: 1, max: 1000, whole: true }),
    kills: reader.number("kills", { min: 1, max: 10_000, whole: true }),
    probeRate: reader.number("probe-rate", { min: 10, max: 10_000 }),
    dkvOnly: reader.isSet("dkv-only"),
    electionTimeoutMs: reader.number("election-timeout", { min: 100, max: 50_000, whole: true }),
    target: reader.choice("target", ["leader", "all"]),
    security: reader.isSet("tls") ? "tls" : "cleartext",
    seed: reader.number("seed", { min: 0, max: 2 ** 32 - 1, whole: true }),
    dataDir: reader.path("data-dir"),
    profileDir: reader.path("profile"),
    jsonFile: reader.path("json"),
  };
}

export function recoveryHelpText(): string {
  return `Usage: make bench-recovery, or node packages/bench/dist/recovery/main.js [flags]

Measures how dkv recovers, on clusters of real processes on loopback that it starts itself:

  join      Three members hold --keys keys and take --rate writes a second while a fourth is added: the
            latencies of the writes until it is promoted, beside the normal ones, and the memory that the
            leader and the new member take meanwhile. Latencies count from when a write was meant to be sent.
  restart   A follower with all those keys is stopped and started: the time from the start of its process to
            its first answer to a serializable read.
  failover  The leader is killed with kill -9, again and again: the time until a write through one of the
            others is acknowledged that was sent after the kill. The killed member is started and has caught
            up before the next kill. An etcd on the PATH is measured beside dkv.

Examples:
  make bench-recovery
  make bench-recovery BENCH='--only failover --kills 10 --dkv-only'
  make bench-recovery BENCH='--only join,restart --keys 50000 --warmup 5 --seconds 10 --restarts 2'
  ${environmentName(prefix, "keys")}=50000 ${environmentName(prefix, "tls")}=true make bench-recovery

Flags (each also from the environment, as in the last example):
${describeFlags(flags)}
`;
}
