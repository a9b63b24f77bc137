import { describeFlags, environmentName, FlagReader, UsageError } from "./flags.ts";
import { usualClients } from "./workload/load.ts";
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
    default: "",
    describe:
      "closed-loop clients: each has one call open; default: 1,64,256,1000, of txn 64, of mixed and pipe 256, of text and binary 1024",
  },
  work: {
    value: "NAME,...",
    default: "",
    describe: `what the clients do; default: ${workNames.join(",")}`,
  },
  api: {
    value: "own|etcd",
    default: "own",
    describe:
      "what clients speak to dkv: its own API, or etcd's, so that both systems have one and the same client",
  },
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
  /** Undefined: those that are usual for a work. */
  readonly clients: readonly number[] | undefined;
  readonly works: readonly WorkName[];
  readonly api: "own" | "etcd";
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

/** What the ceiling answers: calls, and nothing that is looked into. */
const plainWorks: readonly WorkName[] = ["set", "get", "serializable-get"];

/** What etcd's API has. */
const etcdWorks: readonly WorkName[] = [...plainWorks, "txn", "mixed"];

/** The works of a run, each with how many clients do it. */
export function rowsOf({ works, clients }: Pick<Options, "works" | "clients">): readonly RowName[] {
  return works.flatMap((work) => (clients ?? usualClients(work)).map((count) => ({ work, clients: count })));
}

export interface RowName {
  readonly work: WorkName;
  readonly clients: number;
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
  const api = reader.choice("api", ["own", "etcd"]);
  const usualWorks = only === "ceiling" ? plainWorks : api === "etcd" ? etcdWorks : workNames;
  const connections = reader.number("connections", { min: 0, max: 1024, whole: true });
  return {
    seconds: reader.number("seconds", { min: 0.1 }),
    warmupSeconds: reader.number("warmup", { min: 0 }),
    clients:
      reader.text("clients") === ""
        ? undefined
        : reader.numbers("clients", { min: 1, max: 100_000, whole: true }),
    works: reader.text("work") === "" ? usualWorks : reader.choices("work", usualWorks),
    api,
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

Works: set; get, so that every acknowledged set is seen; serializable-get, from the member's own state; txn, a
compare of a key's version and, if it is there, a put of it; mixed, one set to nine gets; pipe, dkv's stream
of many operations with one connection unless --connections says more, whose clients are the operations in
flight, beside etcd's put by as many clients over the usual connections; text and binary, sets through the
doors of these protocols, whose clients are the commands in flight, beside etcd's put by as many clients over
as many connections.

Examples:
  make bench
  make bench BENCH='--api etcd'
  make bench BENCH='--work pipe,txn'
  make bench BENCH='--work pipe --clients 64,256,1000 --only dkv'

Flags (each also from the environment: ${environmentName(prefix, "value-bytes")}=64, ${environmentName(prefix, "tls")}=true):
${describeFlags(flags)}
`;
}
