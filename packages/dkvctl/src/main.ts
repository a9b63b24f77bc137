import { Exit, exitCodes } from "./exit.ts";
import { readEnvironment } from "./platform/environment.ts";
import { explain, standardIo } from "./platform/standard-io.ts";
import { run } from "./run.ts";

// Not awaited here: the bundle is no module, and what main() throws is nothing.
void main();

async function main(): Promise<void> {
  try {
    await run({ words: process.argv.slice(2), environment: readEnvironment(), io: standardIo() });
    process.exitCode = exitCodes.success;
  } catch (error) {
    const message = describe(error);
    if (message !== "") explain(`dkvctl: ${message}\n`);
    process.exitCode = error instanceof Exit ? error.code : exitCodes.failure;
  }
}

/**
 * Anything but an Exit is a fault of this program: its stack is wanted, and Node would print the whole bundle
 * with it.
 */
function describe(error: unknown): string {
  if (error instanceof Exit) return error.message;
  return `internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}
