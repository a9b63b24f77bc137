/** The command `dkv`: arguments, environment, signals and exit codes; nothing else. */
import { existsSync } from "node:fs";
import { ForgottenPromise } from "@dkv/raft";
import { readConfig } from "./config/config.ts";
import { gatherValues } from "./config/values.ts";
import { systemClock } from "./platform/clock.ts";
import { createLogger } from "./platform/logger.ts";
import { systemRandom } from "./platform/random.ts";
import { StartupError } from "./platform/startup-error.ts";
import { startServer } from "./server.ts";
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
  const commandLine = await gatherValues(process.argv.slice(2), process.env, version);
  if (commandLine.kind === "print") {
    process.stdout.write(`${commandLine.text}\n`);
    return;
  }
  const config = readConfig(commandLine.values);
  const logger = createLogger({ level: config.logLevel, format: config.logFormat });
  const fatal = (error: unknown): void => {
    if (error instanceof ForgottenPromise) {
      process.stderr.write(`dkv: ${error.message}\n`);
      process.exit(1);
    }
    logger.error({ err: error }, "stopping at once: going on would be a guess");
    process.exit(1);
  };
  const server = await startServer(config, { clock: systemClock, random: systemRandom, logger, fatal });

  let signals = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    signals += 1;
    if (signals > 1) process.exit(1);
    logger.info({ signal }, "stopping");
    server.stop().then(() => process.exit(0), fatal);
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
}
