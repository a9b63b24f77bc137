import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type Child, describeEnding, type Ending, freePorts, startChild } from "@dkv/cluster";
import { makeDirectory } from "../platform/directories.ts";
import { plainEnvironment } from "../platform/environment.ts";
import { within } from "../platform/time.ts";
import { type Server, ServerError } from "./server.ts";

/** How long it may take until it serves. */
const readyMs = 30_000;
const keptLines = 20;

/** What it prints, in one of its two forms, when clients can come. */
const readyLine = /serving (?:insecure )?client requests|serving client traffic/;

/** Throws ServerError unless there is an etcd on the PATH. */
export async function etcdVersion(): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)("etcd", ["--version"]);
    return /^etcd Version: (.+)$/m.exec(stdout)?.[1] ?? "unknown";
  } catch (error) {
    const hint = "apt-get install etcd-server, or put another etcd on the PATH";
    throw new ServerError(`there is no etcd to compare with: ${hint}`, { cause: error });
  }
}

/** One member without TLS. Its data goes with it. */
export async function startEtcd(name: string): Promise<Server> {
  const directory = await makeDirectory();
  const ports = await freePorts(2);
  const ready = Promise.withResolvers<"ready">();
  const lines: string[] = [];
  const child = startChild({
    program: "etcd",
    args: etcdArguments(directory.path, ports),
    directory: directory.path,
    environment: plainEnvironment(),
    onLine: (line) => {
      lines.push(line);
      if (lines.length > keptLines) lines.shift();
      if (readyLine.test(line)) ready.resolve("ready");
    },
  });
  let ending: Ending | undefined;
  const over = child.ended.then((how) => {
    ending = how;
  });
  const lastWords = (): string =>
    [...lines, ...(ending === undefined ? [] : [`it ended ${describeEnding(ending)}`])].join("\n");
  if ((await within(Promise.race([ready.promise, over]), readyMs)) !== "ready") {
    await kill(child);
    await directory.remove();
    throw new ServerError(`etcd does not start:\n${lastWords()}`);
  }
  return {
    name,
    addresses: [`127.0.0.1:${String(ports[0])}`],
    ports,
    ended: over,
    lastWords,
    stop: async () => {
      await kill(child);
      await directory.remove();
    },
  };
}

async function kill(child: Child): Promise<void> {
  child.signal("SIGKILL");
  await child.ended;
}

function etcdArguments(directory: string, ports: readonly number[]): readonly string[] {
  const [clientUrl, peerUrl] = ports.map((port) => `http://127.0.0.1:${String(port)}`);
  return [
    "--name=dkv-0",
    `--data-dir=${directory}/data`,
    `--listen-client-urls=${String(clientUrl)}`,
    `--advertise-client-urls=${String(clientUrl)}`,
    `--listen-peer-urls=${String(peerUrl)}`,
    `--initial-advertise-peer-urls=${String(peerUrl)}`,
    `--initial-cluster=dkv-0=${String(peerUrl)}`,
    "--bcrypt-cost=4",
  ];
}
