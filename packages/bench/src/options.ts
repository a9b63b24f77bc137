import { describeFlags, environmentName, FlagReader, UsageError } from "./flags.ts";
import { type WorkName, workNames } from "./workload/work.ts";

export const systemNames = ["dkv", "etcd", "ceiling"] as const;
export type SystemName = (typeof systemNames)[number];

/** The bench's flags in one table: the help text and the environment variables are read off it. */
const flags = {
  seconds: { value: "N", default: "5", describe: "measured time of each row" },
  warmup: {
    value: "N",
    default: "15",
    describe: "seconds of the same load before that: V8 compiles what it sees often",
  },
  clients: {
    value: "N,...",
    default: "1,64,256,1000",
    describe: "closed-loop clients: each has one call open",
  },
  work: { value: "NAME,...", default: workNames.join(","), describe: "what the clients do" },
  only: {
    value: "NAME",
    default: "",
    describe: "dkv or etcd alone; or ceiling, a server that only answers: what the bench itself can do",
  },
  connections: {
    value: "N",
    default: "0",
    describe: "connections that the clients share; 0: one for each 16 clients, at most 16",
  },
  target: { value: "leader|all", default: "leader", describe: "members that the connections go to" },
  tls: { value: "", default: "false", describe: "encrypt, towards clients and mutually between peers" },
  "value-bytes": { value: "N", default: "256", describe: "size of a value; values are random bytes" },
  keys: { value: "N", default: "10000", describe: "number of keys; all are set before the first row" },
  seed: { value: "N", default: "1", describe: "for keys, values and their order" },
  "data-dir": {
    value: "DIR",
    default: "",
    describe: "where members keep their data; default: the temporary directory",
  },
  profile: { value: "DIR", default: "", describe: "leave a CPU profile of each dkv member there" },
  json: {
    value: "FILE",
    default: "",
    describe: "where the results go; default: bench-results/DATE-TIME.json",
  },
} as const;

const prefix = "DKV_BENCH_";

export interface Options {
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly clients: readonly number[];
  readonly works: readonly WorkName[];
  /** Undefined: dkv, and etcd if there is one. */
  readonly only: SystemName | undefined;
  /** Undefined: by the rule. */
  readonly connections: number | undefined;
  readonly target: "leader" | "all";
  readonly security: "cleartext" | "tls";
  readonly valueBytes: number;
  readonly keys: number;
  readonly seed: number;
  /** Absolute, as are the other two. */
  readonly dataDir: string | undefined;
  readonly profileDir: string | undefined;
  readonly jsonFile: string | undefined;
}

/** Largest request that fits one HTTP/2 frame beside its key. */
export const valueBytesMax = 16_000;

/** Reads flags, then the environment, then defaults; `"help"` if that is asked for. Throws a UsageError. */
export function readOptions(args: readonly string[], environment: NodeJS.ProcessEnv): Options | "help" {
  const reader = new FlagReader(flags, { args, environment, prefix });
  if (reader.asksForHelp) return "help";
  const only = reader.text("only") === "" ? undefined : reader.choice("only", systemNames);
  const security = reader.isSet("tls") ? "tls" : "cleartext";
  if (only === "ceiling" && security === "tls")
    throw new UsageError("--only ceiling answers in cleartext, not with --tls");
  const connections = reader.number("connections", { min: 0, max: 1024, whole: true });
  return {
    seconds: reader.number("seconds", { min: 0.1 }),
    warmupSeconds: reader.number("warmup", { min: 0 }),
    clients: reader.numbers("clients", { min: 1, max: 100_000, whole: true }),
    works: reader.choices("work", workNames),
    only,
    connections: connections === 0 ? undefined : connections,
    target: reader.choice("target", ["leader", "all"]),
    security,
    valueBytes: reader.number("value-bytes", { min: 0, max: valueBytesMax, whole: true }),
    keys: reader.number("keys", { min: 1, max: 10_000_000, whole: true }),
    seed: reader.number("seed", { min: 0, max: 2 ** 32 - 1, whole: true }),
    dataDir: reader.path("data-dir"),
    profileDir: reader.path("profile"),
    jsonFile: reader.path("json"),
  };
}

export function helpText(): string {
  return `Usage: make bench, or node packages/bench/dist/main.js [flags]

Measures dkv, and etcd beside it where an etcd is on the PATH: the same work by the same client over gRPC.

Each system runs as three real processes on loopback with its own defaults. Both clusters are up for the
whole run and each row is measured on dkv, then on etcd, so that a machine whose speed drifts treats both
alike. Only one is under load at a time; what the idle one costs meanwhile is measured and shown. A call
counts only if it ends with gRPC status 0 and, for reads, with the value; everything else is an error and
is shown. A client that had an error rests 50 ms.

Flags (each also from the environment: ${environmentName(prefix, "value-bytes")}=64, ${environmentName(prefix, "tls")}=true):
${describeFlags(flags)}
`;
}
