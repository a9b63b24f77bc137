/** The command `make bench-store`: flags, signals and exit codes; nothing else. */
import { UsageError } from "../flags.ts";
import { timeOfDay } from "../platform/clock.ts";
import { describeMachine } from "../report/machine.ts";
import { Progress } from "../report/progress.ts";
import { defaultFile, writeJson } from "../report/results-file.ts";
import { readStoreOptions, storeHelpText } from "./options.ts";
import { runStore } from "./run.ts";
import { formatStore } from "./table.ts";

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
  process.stderr.write(`bench-store: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof UsageError ? 2 : 1);
}

/** Resolves to the exit code: 1 if something could not be measured. */
async function main(): Promise<number> {
  const options = readStoreOptions(process.argv.slice(2), process.env);
  if (options === "help") {
    process.stdout.write(storeHelpText());
    return 0;
  }
  const progress = new Progress(process.stderr);
  const date = timeOfDay();
  const machine = await describeMachine(undefined);
  const { signal } = interrupted;
  const run = await runStore({ options, progress, signal });
  process.stdout.write(`\n${formatStore(run)}\n\n`);
  process.stdout.write(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}\n`);
  const file = options.jsonFile ?? defaultFile("store-", date);
  await writeJson(file, { date, machine, options, ...run });
  process.stdout.write(`Written to ${file}\n`);
  return run.failures.length === 0 ? 0 : 1;
}
