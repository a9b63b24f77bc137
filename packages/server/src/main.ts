/** The command `dkv`: arguments, environment, signals and exit codes; nothing else. */
import { existsSync } from "node:fs";
import { ForgottenPromise } from "@dkv/raft";
import { readConfig } from "./config/config.ts";
import { readRestoreCommand } from "./config/restore-command.ts";
import { gatherValues } from "./config/values.ts";
import type { Launch } from "./launchers/launcher.ts";
import { launchers } from "./launchers/launchers.ts";
import { systemClock } from "./platform/clock.ts";
import { describeDiskFailure } from "./platform/disk-failure.ts";
import { createLogger } from "./platform/logger.ts";
import { notifyReady } from "./platform/notify.ts";
import { systemRandom } from "./platform/random.ts";
import { StartupError } from "./platform/startup-error.ts";
import { startServer } from "./server.ts";
import { restore, restoredText } from "./start/restore.ts";
import { removedText } from "./storage/removal-note.ts";
import { version } from "./version.ts";

// Not awaited here: the bundle is no module.
main().catch((error: unknown) => {
  if (!(error instanceof StartupError)) throw error;
  process.stderr.write(`dkv: ${error.message}\n`);
  process.exit(error.kind === "usage" ? 2 : 1);
});

async function main(): Promise<void> {
  // Neither file overrides what is already set, so the first one wins.
  for (const file of [".env.local", ".env"]) {
    if (existsSync(file)) process.loadEnvFile(file);
  }
  const words = process.argv.slice(2);
  if (words[0] === "restore") return restoreBackup(words.slice(1));
  const launch = await launchOf(words);
  const commandLine =
    launch.kind === "print" ? launch : await gatherValues(launch.words, process.env, version);
  if (commandLine.kind === "print") {
    process.stdout.write(`${commandLine.text}\n`);
    return;
  }
  for (const warning of commandLine.warnings) process.stderr.write(`dkv: ${warning}\n`);
  const config = readConfig(commandLine.values, launch.kind === "start" ? launch.setters : {});
  const manners = launch.kind === "start" ? launch.manners : undefined;
  const { logLevel: level, logFormat: format, logOutputs: outputs } = config;
  const logger = createLogger({ level, format, outputs });
  const fatal = (error: unknown): void => {
    const known =
      error instanceof ForgottenPromise ? error.message : describeDiskFailure(error, config.dataDir);
    if (known !== undefined) {
      process.stderr.write(`dkv: ${known}\n`);
      process.exit(1);
    }
    logger.error({ err: error }, "stopping at once: going on would be a guess");
    process.exit(1);
  };
  const deps = { clock: systemClock, random: systemRandom, logger, fatal };
  const server = await patiently(startServer(config, deps));
  void server.ready.then(() => {
    if (manners !== undefined) logger.info(manners.readyLine);
    return notifyReady(process.env, logger);
  });

  // A signal may come while a member that was removed stops.
  let isStopping = false;
  const stop = (signal?: NodeJS.Signals): void => {
    if (isStopping) return;
    isStopping = true;
    const dies = manners?.diesOfSignals === true;
    server.stop().then(() => (dies && signal !== undefined ? dieOf(signal) : process.exit(0)), fatal);
  };
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    signals += 1;
    if (signals > 1) process.exit(1);
    logger.info({ signal }, "stopping");
    stop(signal);
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  await server.removed;
  logger.warn({ dataDir: config.dataDir }, "this member was removed from its cluster; stopping");
  process.stderr.write(`dkv: ${removedText(config.dataDir)}\n`);
  stop();
}

/** The first process of a system takes no signal that it does not ask for. */
function dieOf(signal: NodeJS.Signals): void {
  if (process.pid === 1) process.exit(0);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/** What the words mean, whoever's command line it is. */
async function launchOf(words: readonly string[]): Promise<Launch> {
  const launcher = launchers.get(words[0] ?? "");
  if (launcher === undefined) return { kind: "start", words, setters: {} };
  const say = (line: string): void => void process.stderr.write(`dkv: ${line}\n`);
  return patiently(launcher(words.slice(1), { environment: process.env, clock: systemClock, say }));
}

/** Our timers keep no process alive, and a new member that waits until it is added has nothing else. */
async function patiently<Result>(promise: Promise<Result>): Promise<Result> {
  const patience = setInterval(() => undefined, 2 ** 30);
  try {
    return await promise;
  } finally {
    clearInterval(patience);
  }
}

async function restoreBackup(words: readonly string[]): Promise<void> {
  const command = await readRestoreCommand(words, process.env, version);
  if (command.kind === "print") {
    process.stdout.write(`${command.text}\n`);
    return;
  }
  for (const warning of command.warnings) process.stderr.write(`dkv: ${warning}\n`);
  const { request } = command;
  process.stdout.write(
    restoredText(request, await restore(request, { clock: systemClock, random: systemRandom })),
  );
}
