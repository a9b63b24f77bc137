/** The command `make bench-recovery`: flags, signals and exit codes; nothing else. */
import { UsageError } from "../flags.ts";
import { timeOfDay } from "../platform/clock.ts";
import { describeMachine } from "../report/machine.ts";
import { Progress } from "../report/progress.ts";
import { defaultFile, writeJson } from "../report/results-file.ts";
import { etcdVersion } from "../systems/etcd.ts";
import { readRecoveryOptions, recoveryHelpText } from "./options.ts";
import { runRecovery } from "./run.ts";
import { formatRecovery } from "./table.ts";

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    interrupted.abort();
  });
}

try {
  process.exitCode = await main();
} catch (error) {
  if (interrupted.signal.aborted) process.exit(130);
  process.stderr.write(`bench-recovery: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof UsageError ? 2 : 1);
}

/** Resolves to the exit code: 1 if something could not be measured. */
async function main(): Promise<number> {
  const options = readRecoveryOptions(process.argv.slice(2), process.env);
  if (options === "help") {
    process.stdout.write(recoveryHelpText());
    return 0;
  }
  const progress = new Progress(process.stderr);
  const version = await etcdVersion();
  const date = timeOfDay();
  const machine = await describeMachine(version);
  const { signal } = interrupted;
  const run = await runRecovery({ options, progress, signal, etcdFound: version !== undefined });
  process.stdout.write(`\n${formatRecovery(run)}\n\n`);
  process.stdout.write(
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, etcd ${version ?? "none"}\n`,
  );
  const file = options.jsonFile ?? defaultFile("recovery-", date);
  await writeJson(file, { date, machine, options, ...run });
  process.stdout.write(`Written to ${file}\n`);
  return run.failures.length === 0 ? 0 : 1;
}
