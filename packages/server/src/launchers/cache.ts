/** `dkv cache`: a member with the binary protocol, by the environment of a cache that knew one machine only. */
import { usage } from "../config/value-reader.ts";
import { formatAddress } from "../platform/address.ts";
import type { Callers, Listening } from "../platform/listening.ts";
import { beginningOf, type Newcomer } from "./beginning.ts";
import { clientAddressBeside, setterBeside } from "./client-address.ts";
import type { Launch, LauncherDeps } from "./launcher.ts";

const help = `Usage: dkv cache, with these in the environment:
  SERVER_PORT   port of 127.0.0.1 for the binary protocol; gRPC, Connect and queries are 10000 above it
  LEADER_PORT   SERVER_PORT of a member whose cluster is joined; without it, or 0, a cluster is begun
  RAFT_NODE_ID  name of this member
  RAFT_PORT     port of 127.0.0.1 for the other members
  RAFT_VOL_DIR  directory that keeps its data`;

const host = "127.0.0.1";

const setters = {
  "listen-peer-address": "$RAFT_PORT",
  "listen-client-address": setterBeside("$SERVER_PORT"),
  "listen-binary-address": "$SERVER_PORT",
};

/** Rejects with a StartupError. Waits until the cluster to be joined lets this member in. */
export async function cache(words: readonly string[], deps: LauncherDeps): Promise<Launch> {
  const { environment } = deps;
  if (words.includes("--help") || words.includes("-h")) return { kind: "print", text: help };
  if (words.length > 0) throw usage(`dkv cache takes no "${words.join(" ")}": it goes by its environment`);
  const serverPort = portIn(environment, "SERVER_PORT");
  const leaderPort = leaderPortIn(environment);
  const name = required(environment, "RAFT_NODE_ID");
  const raftPort = portIn(environment, "RAFT_PORT");
  const peerAddress = `${host}:${String(raftPort)}`;
  const dataDir = required(environment, "RAFT_VOL_DIR");
  const clientAddress = clientAddressBeside(host, serverPort);
  const listenings = [
    listening("peers", raftPort, setters["listen-peer-address"]),
    listening("clients", clientAddress.port, setters["listen-client-address"]),
    listening("clients of the binary protocol", serverPort, setters["listen-binary-address"]),
  ];
  const order = orderOf(leaderPort);
  const beginning = await beginningOf({ name, peerAddress, dataDir, listenings, ...order }, "", deps);
  return {
    kind: "start",
    words: [
      `--name=${name}`,
      `--data-dir=${dataDir}`,
      `--listen-peer-address=${peerAddress}`,
      `--listen-client-address=${formatAddress(clientAddress)}`,
      `--listen-binary-address=${host}:${String(serverPort)}`,
      "--query-interface",
      ...beginning,
    ],
    setters,
  };
}

function listening(callers: Callers, port: number, setBy: string): Listening {
  return { callers, address: { host, port, setBy } };
}

/** How it is told to begin. */
function orderOf(leaderPort: number): Pick<Newcomer, "begins" | "told"> {
  if (leaderPort === 0) return { begins: "alone", told: undefined };
  return {
    begins: { through: formatAddress(clientAddressBeside(host, leaderPort)) },
    told: `LEADER_PORT=${String(leaderPort)}`,
  };
}

type Environment = LauncherDeps["environment"];

function required(environment: Environment, name: string): string {
  const text = environment[name] ?? "";
  if (text === "") throw usage(`$${name} is missing; see dkv cache --help`);
  return text;
}

function portIn(environment: Environment, name: string): number {
  const text = required(environment, name);
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535)
    throw usage(`$${name} is "${text}": write a port, such as 2221`);
  return port;
}

/** 0 for none. */
function leaderPortIn(environment: Environment): number {
  const text = environment["LEADER_PORT"] ?? "";
  return text === "" || /^0+$/.test(text) ? 0 : portIn(environment, "LEADER_PORT");
}
