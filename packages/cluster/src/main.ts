/** The command behind `make cluster`: arguments, signals, output and exit codes; nothing else. */
import { relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, styleText } from "node:util";
import { CertificatesError, makeCertificates } from "@dkv/certificates";
import { type Cluster, prepareCluster } from "./cluster.ts";
import { describeUse } from "./instructions.ts";
import { createLogStream } from "./log-stream.ts";
import type { Member } from "./member.ts";
import { describeEnding } from "./platform/child.ts";
import { isFree } from "./platform/ports.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const certificates = resolve(root, "certs");
const peerPorts = [2380, 2381, 2382];
const clientPorts = [3000, 3001, 3002];
const memberNames = peerPorts.map((_, at) => `dkv-${String(at)}`);

/** Something that only the user can put right, in one line. */
class ClusterError extends Error {
  override readonly name = "ClusterError";
}

const log = createLogStream(memberNames, {
  write: (text) => void process.stdout.write(text),
  // Knows by itself when colour is not wanted: no terminal, NO_COLOR.
  paint: (style, text) => styleText(style, text, { stream: process.stdout }),
});

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Error)) throw error;
  process.stderr.write(`cluster: ${error.message}\n`);
  // What still runs has a warden.
  process.exit(1);
}

async function main(args: readonly string[]): Promise<void> {
  const { insecure, directory } = readArguments(args);
  await refuseTakenPorts();
  const tls = insecure ? undefined : { certificates };
  if (tls !== undefined) await settleCertificates();
  const cluster = await prepareCluster({
    directory,
    tls,
    peerPorts,
    clientPorts,
    onLine: log.memberLine,
  });
  const stopping = stopOnSignals(cluster);
  try {
    await run(
      cluster,
      stopping,
      tls === undefined ? undefined : relative(root, resolve(certificates, "ca.pem")),
    );
  } catch (error) {
    // Members that are being stopped do not answer any more.
    if (!stopping.aborted) throw error;
  }
}

function readArguments(args: readonly string[]): { readonly insecure: boolean; readonly directory: string } {
  const { values } = parseArgs({
    args: [...args],
    options: {
      insecure: { type: "boolean", default: false },
      directory: { type: "string", default: resolve(root, ".cluster") },
    },
  });
  return values;
}

async function refuseTakenPorts(): Promise<void> {
  const taken: string[] = [];
  for (const port of [...peerPorts, ...clientPorts]) {
    if (!(await isFree(port))) taken.push(`localhost:${String(port)}`);
  }
  if (taken.length === 0) return;
  const verb = taken.length === 1 ? "is" : "are";
  throw new ClusterError(
    `${taken.join(", ")} ${verb} in use; stop what listens there (another make cluster?) and try again`,
  );
}

async function settleCertificates(): Promise<void> {
  try {
    const { made } = await makeCertificates({ directory: certificates, hosts: [] });
    if (made.length > 0) log.say(`Made certificates in ${relative(root, certificates)}/.`);
  } catch (error) {
    if (!(error instanceof CertificatesError)) throw error;
    throw new ClusterError(error.message, { cause: error });
  }
}

/** The first signal stops the members in order; a second one does not wait for them. */
function stopOnSignals(cluster: Cluster): AbortSignal {
  const stopping = new AbortController();
  const stop = (): void => {
    if (stopping.signal.aborted) process.exit(1);
    stopping.abort();
    stopInOrder(cluster).then(
      () => process.exit(0),
      (error: unknown) => {
        log.say(String(error));
        process.exit(1);
      },
    );
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
  // Whoever read our output is gone: `make cluster | head`.
  process.stdout.on("error", stop);
  return stopping.signal;
}

async function stopInOrder(cluster: Cluster): Promise<void> {
  log.say("\nStopping; Ctrl-C again does not wait.");
  for (const member of cluster.members) {
    if (member.isRunning) await member.stop();
  }
  log.say("All members have stopped.");
}

async function run(cluster: Cluster, stopping: AbortSignal, ca: string | undefined): Promise<void> {
  log.say(`Starting ${memberNames.join(", ")}${ca === undefined ? " in clear, because of INSECURE=1" : ""}.`);
  await cluster.start();
  for (const member of cluster.members) reportEnd(member, cluster, stopping);
  const leader = await cluster.waitForLeader();
  const clientAddresses = cluster.members.map((member) => member.clientAddress);
  log.say(describeUse({ clientAddresses, leader, ca }));
}

/**
 * A member that ends by itself is worth a line; the others go on, and without any of them there is nothing to
 * do.
 */
function reportEnd(member: Member, cluster: Cluster, stopping: AbortSignal): void {
  void member.waitForEnd().then((ending) => {
    if (stopping.aborted) return;
    const goesOn = cluster.members.some(({ isRunning }) => isRunning);
    const rest = goesOn ? "the others go on" : "no member is left";
    log.say(`${member.name} ended ${describeEnding(ending)}; ${rest}.`);
    if (!goesOn) process.exit(1);
  });
}
