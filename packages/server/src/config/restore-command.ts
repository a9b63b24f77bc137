/** The command line of `dkv restore FILE`, which takes the flags of dkv itself and needs few of them. */
import { advertisedPeerAddress, checkInitialCluster, type Config } from "./config.ts";
import { environmentName, flag } from "./flags.ts";
import { usage, ValueReader } from "./value-reader.ts";
import { gatherValues, type Values } from "./values.ts";

export type RestoreRequest = Pick<Config, "name" | "dataDir" | "initialCluster" | "initialClusterToken"> & {
  /** The backup. */
  readonly file: string;
};

export type RestoreCommand =
  | { readonly kind: "restore"; readonly request: RestoreRequest; readonly warnings: readonly string[] }
  | { readonly kind: "print"; readonly text: string };

const needed = ["name", "data-dir", "initial-cluster", "initial-cluster-token"] as const;

/**
 * Understands what stands behind `dkv restore`. Flags that matter only once the member runs are taken and not
 * looked at, so that it can be started with the same ones. Throws a StartupError of kind `usage`.
 */
export async function readRestoreCommand(
  words: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  version: string,
): Promise<RestoreCommand> {
  const [file, ...flags] = words;
  if (words.includes("--help") || words.includes("-h")) return { kind: "print", text: helpText() };
  if (file === undefined || file.startsWith("-")) {
    throw usage(
      "restore needs a backup: write dkv restore FILE --name NAME --initial-cluster NAME=HOST:PORT,...",
    );
  }
  const commandLine = await gatherValues(flags, environment, version);
  if (commandLine.kind === "print") return commandLine;
  const { values, warnings } = commandLine;
  return { kind: "restore", request: readRequest(file, values), warnings };
}

function readRequest(file: string, values: Values): RestoreRequest {
  const reader = new ValueReader(values);
  reader.required("initial-cluster");
  const request = {
    file,
    name: reader.required("name"),
    dataDir: reader.required("data-dir"),
    initialCluster: reader.pairs("initial-cluster"),
    initialClusterToken: reader.required("initial-cluster-token"),
  };
  const advertisePeerAddress = advertisedPeerAddress(reader);
  checkInitialCluster({ ...request, initialClusterState: "new", advertisePeerAddress });
  return request;
}

function helpText(): string {
  const rows = needed.map((name) => {
    const { describe, value, default: fallback } = flag(name);
    const hint = fallback === undefined ? "" : `  [default: ${fallback}]`;
    return `  --${name}  ${describe}  ${value}  [$${environmentName(name)}]${hint}`;
  });
  return [
    "dkv restore - makes the data of a new cluster's member from a backup",
    "",
    "Usage: dkv restore FILE --name NAME --initial-cluster NAME=HOST:PORT,... [options]",
    "",
    ...rows,
    "",
    "Run it once for each member of the new cluster, with the same file, cluster and token; then start the members. " +
      "It is another cluster than the one that was backed up. Other flags of dkv may stand here as well.",
  ].join("\n");
}
