import { type Cluster, startCluster } from "@dkv/cluster";
import { makeDirectory } from "../platform/directories.ts";
import { type Server, ServerError } from "./server.ts";

const keptLines = 20;

/** A cluster of real members without TLS, led by one of them. Its data goes with it. */
export async function startDkv(members: number): Promise<Server> {
  const directory = await makeDirectory();
  let cluster: Cluster;
  try {
    cluster = await startCluster({ directory: directory.path, members });
    await cluster.waitForLeader();
  } catch (error) {
    await directory.remove();
    throw new ServerError("dkv does not start", { cause: error });
  }
  const addresses = cluster.members.map(({ clientAddress }) => clientAddress);
  return {
    name: "dkv",
    addresses,
    ports: cluster.members.flatMap(({ clientAddress, peerAddress }) => [
      portOf(clientAddress),
      portOf(peerAddress),
    ]),
    ended: Promise.race(
      cluster.members.map(async (member) => {
        await member.waitForEnd();
      }),
    ),
    lastWords: () => cluster.members.flatMap((member) => wordsOf(member.name, member)).join("\n"),
    stop: async () => {
      const running = cluster.members.filter(({ isRunning }) => isRunning);
      await Promise.all(running.map((member) => member.kill()));
      await directory.remove();
    },
  };
}

interface Talkative {
  readonly log: readonly string[];
  readonly isRunning: boolean;
}

function wordsOf(name: string, { log, isRunning }: Talkative): readonly string[] {
  const lines = log.slice(-keptLines).map((line) => `${name}: ${line}`);
  return isRunning ? lines : [...lines, `${name} does not run any more`];
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}
