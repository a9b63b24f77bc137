/** The command `dkv`: arguments, environment, signals and exit codes; nothing else. */
import { existsSync } from "node:fs";
import { ForgottenPromise } from "@dkv/raft";
import { readConfig } from "./config/config.ts";
import { readRestoreCommand } from "./config/restore-command.ts";
import { gatherValues } from "./config/values.ts";
import { systemClock } from "./platform/clock.ts";
import { describeDiskFailure } from "./platform/disk-failure.ts";
import { createLogger } from "./platform/logger.ts";
import { systemRandom } from "./platform/random.ts";
import { StartupError } from "./platform/startup-error.ts";
import { startServer } from "./server.ts";
import { restore, restoredText } from "./start/restore.ts";
import { removedText } from "./storage/removal-note.ts";
import { version } from "./version.ts";

try {
  await main();
} catch (error) {
  if (!(error instanceof StartupError)) throw error;
  process.stderr.write(`dkv: ${error.message}\n`);
  process.exit(error.kind === "usage" ? 2 : 1);
}

async function main(): Promise<void> {
  // Neither file overrides what is already set, so the first one wins.
  for (const file of [".env.local", ".env"]) {
    if (existsSync(file)) process.loadEnvFile(file);
  }
  const words = process.argv.slice(2);
  if (words[0] === "restore") return restoreBackup(words.slice(1));
  const commandLine = await gatherValues(words, process.env, version);
  if (commandLine.kind === "print") {
    process.stdout.write(`${commandLine.text}\n`);
    return;
  }
  for (const warning of commandLine.warnings) process.stderr.write(`dkv: ${warning}\n`);
  const config = readConfig(commandLine.values);
  const logger = createLogger({ level: config.logLevel, format: config.logFormat });
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
  // Our timers keep no process alive, and a new member that waits until it is added has nothing else.
  const patience = setInterval(() => undefined, 2 ** 30);
  const server = await startServer(config, { clock: systemClock, random: systemRandom, logger, fatal });
  clearInterval(patience);

  // A signal may come while a member that was removed stops.
  let isStopping = false;
  const stop = (): void => {
    if (isStopping) return;
    isStopping = true;
    server.stop().then(() => process.exit(0), fatal);
  };
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    signals += 1;
    if (signals > 1) process.exit(1);
    logger.info({ signal }, "stopping");
    stop();
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  await server.removed;
  logger.warn({ dataDir: config.dataDir }, "this member was removed from its cluster; stopping");
  process.stderr.write(`dkv: ${removedText(config.dataDir)}\n`);
  stop();
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
