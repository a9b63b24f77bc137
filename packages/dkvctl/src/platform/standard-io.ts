import { once } from "node:events";
import { isatty } from "node:tty";

import type { Io } from "../commands/command.ts";
import { Exit, exitCodes } from "../exit.ts";

/** More than any member takes; only keeps an endless stream from filling memory. */
const longestInput = 64 << 20;

/** The process's own standard input and output. */
export function standardIo(): Io {
  return {
    printsToTerminal: isatty(1),
    explainsToTerminal: isatty(2),
    readInput,
    print,
    explain,
    interruptible,
  };
}

/** Writes to standard error, and does not mind if nobody reads it. */
export function explain(text: string): void {
  process.stderr.once("error", () => {});
  process.stderr.write(text);
}

async function readInput(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > longestInput) break;
    }
  } catch (error) {
    throw new Exit(exitCodes.failure, `cannot read standard input: ${reasonOf(error)}`, { cause: error });
  }
  if (length > longestInput)
    throw new Exit(exitCodes.failure, `standard input is longer than ${longestInput >> 20} MiB`);
  return Buffer.concat(chunks);
}

/**
 * Returns once everything is written. A reader that has gone away, as `head` does, is none of our business.
 */
async function print(text: string | Uint8Array): Promise<void> {
  const { stdout } = process;
  try {
    const finished = once(stdout, "finish");
    stdout.end(text);
    await finished;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EPIPE") return;
    throw new Exit(exitCodes.failure, `cannot write to standard output: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/** The second time a signal ends the process at once. */
async function interruptible(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const interruption = new AbortController();
  let received: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    received ??= signal;
    interruption.abort();
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.once(signal, onSignal);
  try {
    await work(interruption.signal);
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
    // Now it does what it would have done: a shell has to see that the run was interrupted.
    if (received !== undefined) process.kill(process.pid, received);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
