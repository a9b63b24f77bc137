/** `dkv minikv`: a member with the query interface, by the flags of a small cache that was written in Go. */
import { usage } from "../config/value-reader.ts";
import { formatAddress, type HostPort, parseHostPort } from "../platform/address.ts";
import { beginningOf, type Newcomer } from "./beginning.ts";
import { helpText, readGoFlags } from "./go-flags.ts";
import type { Launch, LauncherDeps } from "./launcher.ts";

const flags = {
  http: {
    kind: "text",
    default: "127.0.0.1:6000",
    describe: "address for clients: queries, gRPC, Connect",
  },
  raft: {
    kind: "text",
    default: "127.0.0.1:7000",
    describe: "address for the other members, and the name of this one",
  },
  node: { kind: "text", default: "node1", describe: "directory below this one that keeps its data" },
  bootstrap: { kind: "switch", default: "false", describe: "begin a cluster, if the directory is empty" },
  join: {
    kind: "text",
    default: "",
    describe: "-http address of a member whose cluster is joined, if the directory is empty",
  },
} as const;

const setters = { "listen-client-address": "-http", "listen-peer-address": "-raft" } as const;

const usageLine =
  "dkv minikv [-http=HOST:PORT] [-raft=HOST:PORT] [-node=NAME] [-bootstrap=true | -join=HOST:PORT]";

/** Rejects with a StartupError. Waits until the cluster to be joined lets this member in. */
export async function minikv(words: readonly string[], deps: LauncherDeps): Promise<Launch> {
  const given = readGoFlags(words, flags);
  if (given === undefined) return { kind: "print", text: helpText(usageLine, flags) };
  const { node, bootstrap, join } = given;
  const http = parseHostPort(given.http, "-http");
  if (http.host === undefined)
    throw usage(
      `-http is "${given.http}": write the host too, 127.0.0.1${given.http} for this machine alone or ` +
        `0.0.0.0${given.http} for all, for whoever reaches that port may read and write everything`,
    );
  const raft = dialable("-raft", given.raft);
  const raftAddress = formatAddress(raft);
  if (node === "") throw usage("-node is empty: write the name of a directory");
  if (bootstrap === "true" && join !== "")
    throw usage("-bootstrap begins a cluster and -join joins one: give one of the two");
  const dataDir = `./${node}`;
  const beginning = await beginningOf(
    {
      name: raftAddress,
      peerAddress: raftAddress,
      dataDir,
      ...orderOf(bootstrap === "true", join),
      listenings: [
        { callers: "peers", address: { ...raft, setBy: setters["listen-peer-address"] } },
        {
          callers: "clients",
          address: { ...http, setBy: setters["listen-client-address"] },
        },
      ],
    },
    "add -bootstrap=true to begin a cluster, or -join=HOST:PORT to join one",
    deps,
  );
  return {
    kind: "start",
    words: [
      `--name=${raftAddress}`,
      `--data-dir=${dataDir}`,
      `--listen-peer-address=${raftAddress}`,
      `--listen-client-address=${formatAddress(http)}`,
      "--query-interface",
      ...beginning,
    ],
    setters,
  };
}

/** How it is told to begin. */
function orderOf(isBootstrap: boolean, join: string): Pick<Newcomer, "begins" | "told"> {
  if (isBootstrap) return { begins: "alone", told: "-bootstrap=true" };
  if (join === "") return { begins: undefined, told: undefined };
  dialable("-join", join.replace(/^https?:\/\//, ""));
  return { begins: { through: join }, told: `-join=${join}` };
}

function dialable(flag: "-raft" | "-join", text: string): HostPort {
  const address = parseHostPort(text, flag);
  if (address.host === undefined || address.host === "0.0.0.0" || address.host === "::")
    throw usage(`${flag} is "${text}": write the host too, for members dial it`);
  return address;
}
