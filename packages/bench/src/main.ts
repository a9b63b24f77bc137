/** The command `make bench`: flags, signals and exit codes; nothing else. */
import { UsageError } from "./flags.ts";
import { helpText, type Options, readOptions } from "./options.ts";
import { timeOfDay } from "./platform/clock.ts";
import { describeMachine } from "./report/machine.ts";
import { Progress } from "./report/progress.ts";
import { writeResults } from "./report/results-file.ts";
import { formatTable } from "./report/table.ts";
import { run } from "./run.ts";
import { ceiling } from "./systems/ceiling.ts";
import { dkv } from "./systems/dkv.ts";
import { etcd, etcdVersion } from "./systems/etcd.ts";
import { speakingEtcd } from "./systems/etcd-methods.ts";
import type { System } from "./systems/system.ts";

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    interrupted.abort();
  });
}

try {
  await main();
} catch (error) {
  if (interrupted.signal.aborted) process.exit(130);
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof UsageError ? 2 : 1);
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), process.env);
  if (options === "help") {
    process.stdout.write(helpText());
    return;
  }
  const progress = new Progress(process.stderr);
  const version = await etcdVersion();
  const date = timeOfDay();
  const machine = await describeMachine(version);
  const systems = chooseSystems(options, version);
  if (options.only === undefined && version === undefined) {
    progress.line("No etcd on the PATH: measuring dkv alone.");
  }
  const rows = await run({ options, systems, progress, signal: interrupted.signal });
  process.stdout.write(`\n${formatTable(rows)}\n\n`);
  if (options.api === "etcd") process.stdout.write("Clients speak etcd's v3 API, to dkv as well.\n");
  process.stdout.write(
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, etcd ${version ?? "none"}\n`,
  );
  process.stdout.write(`Written to ${await writeResults({ date, machine, options, rows })}\n`);
}

function chooseSystems(options: Options, etcdFound: string | undefined): readonly System[] {
  const { only, profileDir, valueBytes, api } = options;
  if (only === "ceiling") return [ceiling(valueBytes)];
  if (only === "etcd" && etcdFound === undefined)
    throw new UsageError("--only etcd: there is no etcd on the PATH");
  const wanted: System[] = [];
  if (only !== "etcd") wanted.push(api === "etcd" ? speakingEtcd(dkv(profileDir)) : dkv(profileDir));
  if (only !== "dkv" && etcdFound !== undefined) wanted.push(etcd());
  return wanted;
}
