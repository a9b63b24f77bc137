/** Members that are started as units of etcd are, and etcd's own client. */
import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePorts } from "@dkv/cluster";

const run = promisify(execFile);
const program = fileURLToPath(new URL("../../bin/dkv-etcd.js", import.meta.url));
const modules = fileURLToPath(new URL("../../../../node_modules/.bin", import.meta.url));

/** Of the system, and Node of this project. */
const path = `${modules}:/usr/bin:/bin`;

export const hasEtcdctl = await run("etcdctl", ["version"], { env: { PATH: path, ETCDCTL_API: "3" } }).then(
  () => true,
  () => false,
);

export type Environment = Readonly<Record<string, string>>;

/** What it prints. Rejects with what it complains of. */
export async function etcdctl(environment: Environment, ...words: readonly string[]): Promise<string> {
  const env = { PATH: path, ETCDCTL_API: "3", ...environment };
  const { stdout } = await run("etcdctl", ["--dial-timeout=10s", "--command-timeout=30s", ...words], { env });
  return stdout;
}

/** What the program prints and how it ends, for what ends by itself. */
export async function dkvEtcd(...words: readonly string[]) {
  const child = spawn(program, words, { env: { PATH: path } });
  const textOf = async (stream: Readable): Promise<string> =>
    (await stream.setEncoding("utf8").toArray()).join("");
  const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)] as const;
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout: await stdout, stderr: await stderr };
}

export interface Unit {
  /** Resolves once it says that it is ready. Rejects with what it said if it ends before. */
  readonly ready: Promise<void>;
  readonly lines: readonly string[];
  /** Resolves to how it has ended. */
  stop(signal?: NodeJS.Signals): Promise<{ readonly code: number | null; readonly signal: string | null }>;
}

/** Runs until the test ends, or it is stopped. */
export function startUnit(test: TestContext, environment: Environment, ...words: readonly string[]): Unit {
  const env = { PATH: path, ...environment };
  const child = spawn(program, words, { env, stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(child, "exit") as Promise<[number | null, string | null]>;
  test.after(async () => {
    if (isRunning(child)) child.kill("SIGKILL");
    await ended;
  });
  const lines: string[] = [];
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
  const reader = createInterface(child.stderr);
  reader.on("line", (line) => {
    lines.push(line);
    if (line.includes("ready to serve client requests")) resolve();
  });
  reader.once("close", () => {
    reject(new Error(`it has ended: ${lines.join("\n")}`));
  });
  ready.catch(() => undefined);
  return {
    ready,
    lines,
    async stop(signal = "SIGTERM") {
      child.kill(signal);
      const [code, by] = await ended;
      return { code, signal: by };
    },
  };
}

const isRunning = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode === null && signalCode === null;

/** Where a member is. */
export interface Place {
  readonly name: string;
  readonly client: string;
  readonly peer: string;
}

export async function places(names: readonly string[], scheme: "http" | "https"): Promise<readonly Place[]> {
  const ports = await freePorts(2 * names.length);
  return names.map((name, at) => ({
    name,
    client: `${scheme}://127.0.0.1:${String(ports[2 * at] ?? assert.fail())}`,
    peer: `${scheme}://127.0.0.1:${String(ports[2 * at + 1] ?? assert.fail())}`,
  }));
}

/** What stands in every unit file. */
export function unitOf({ name, client, peer }: Place, directory: string): Environment {
  return {
    ETCD_NAME: name,
    ETCD_DATA_DIR: join(directory, `${name}.etcd`),
    ETCD_LISTEN_CLIENT_URLS: client,
    ETCD_ADVERTISE_CLIENT_URLS: client,
    ETCD_LISTEN_PEER_URLS: peer,
    ETCD_INITIAL_ADVERTISE_PEER_URLS: peer,
  };
}

/** The members of a new cluster, as they are told. */
export const foundingOf = (all: readonly Place[]): Environment => ({
  ETCD_INITIAL_CLUSTER: all.map(({ name, peer }) => `${name}=${peer}`).join(","),
  ETCD_INITIAL_CLUSTER_STATE: "new",
  ETCD_INITIAL_CLUSTER_TOKEN: "etcd-cluster-1",
});
