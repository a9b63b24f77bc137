/** `dkv kvstore ID`: a member with the text protocol, by the config.json of the working directory. */
import { type Setters, usage } from "../config/value-reader.ts";
import { formatAddress } from "../platform/address.ts";
import { clientAddressBeside, setterBeside } from "./client-address.ts";
import { readServers, type Server } from "./kvstore-config.ts";
import type { Launch } from "./launcher.ts";

const help = "Usage: dkv kvstore <server-id>   with the server's id from config.json in this directory";
const file = "config.json";

/** Rejects with a StartupError. */
export async function kvstore(words: readonly string[]): Promise<Launch> {
  const [word, ...others] = words;
  if (word === "--help" || word === "-h") return { kind: "print", text: help };
  if (word === undefined)
    throw usage(`kvstore needs the id of a server in ${file}: write dkv kvstore <server-id>`);
  if (others.length > 0) throw usage(`kvstore takes one server's id, and not "${words.join(" ")}"`);
  const servers = readServers(file);
  const server = servers.find(({ id }) => String(id) === word);
  if (server === undefined)
    throw usage(`${file} has no server ${word}; there are ${servers.map(({ id }) => id).join(", ")}`);
  return { kind: "start", words: flagsOf(server, servers), setters: settersOf(server) };
}

function flagsOf({ id, host, clientPort, logPort }: Server, servers: readonly Server[]): readonly string[] {
  const cluster = servers.map((one) => `${String(one.id)}=${peerAddressOf(one)}`);
  return [
    // By the leader's name others are told where to go.
    `--name=${String(id)}`,
    // Who wants to begin anew removes saved_S*.state.
    `--data-dir=saved_S${String(id)}.state`,
    `--initial-cluster=${cluster.join(",")}`,
    "--initial-cluster-state=new",
    `--listen-peer-address=${formatAddress({ host, port: logPort })}`,
    `--listen-client-address=${formatAddress(clientAddressBeside(host, clientPort))}`,
    `--listen-text-address=${formatAddress({ host, port: clientPort })}`,
  ];
}

function settersOf({ id }: Server): Setters {
  const of = `of server ${String(id)} in ${file}`;
  return {
    "initial-cluster": file,
    "listen-peer-address": `LogPort ${of}`,
    "listen-client-address": setterBeside(`ClientPort ${of}`),
    "listen-text-address": `ClientPort ${of}`,
  };
}

const peerAddressOf = ({ host, logPort }: Server): string => formatAddress({ host, port: logPort });
