/** The command behind `make etcd-diff`: arguments, output and exit codes; nothing else. */
import { startPlayer } from "./arena.ts";
import { readOptions, type Options, usage, UsageError } from "./options.ts";
import { removeDirectories } from "./platform/directories.ts";
import { nowMs } from "./platform/time.ts";
import { runDiff } from "./run.ts";
import { startDkv } from "./servers/dkv.ts";
import { etcdVersion, startEtcd } from "./servers/etcd.ts";
import { ServerError } from "./servers/server.ts";

const print = (line: string): void => void process.stdout.write(`${line}\n`);

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(1));
process.on("exit", removeDirectories);

try {
  const options = readOptions(process.argv.slice(2), () => Math.floor(Math.random() * 2 ** 32));
  if (options === "help") print(usage);
  else process.exitCode = (await main(options)) ? 0 : 1;
} catch (error) {
  if (!(error instanceof Error)) throw error;
  const isExpected = error instanceof UsageError || error instanceof ServerError;
  process.stderr.write(`etcd-diff: ${isExpected ? error.message : (error.stack ?? error.message)}\n`);
  // What still runs has a warden.
  process.exit(isExpected ? 2 : 1);
}

async function main(options: Options): Promise<boolean> {
  const version = await etcdVersion();
  const { against, members, seed, replay } = options;
  const other =
    against === "etcd" ? "another etcd" : `dkv, ${members === 1 ? "one member" : "three members"}`;
  print(`etcd ${version} and ${other}; ${replay === undefined ? `seed ${String(seed)}` : replay}`);
  return runDiff({
    options,
    starts: [
      () => startPlayer(() => startEtcd("etcd")),
      () => startPlayer(() => (against === "etcd" ? startEtcd("the other etcd") : startDkv(members))),
    ],
    names: ["etcd", against === "etcd" ? "other" : "dkv"],
    nowMs,
    print,
  });
}
