import { isatty } from "node:tty";

import type { Io } from "../commands/command.ts";
import { Exit, exitCodes } from "../exit.ts";
import { readSecret } from "./secret.ts";
import { splitLines } from "./split-lines.ts";

/** More than any member takes; only keeps an endless stream from filling memory. */
const longestInput = 64 << 20;

/** The process's own standard input and output. */
export function standardIo(): Io {
  return {
    printsToTerminal: isatty(1),
    explainsToTerminal: isatty(2),
    readsFromTerminal: isatty(0),
    readInput,
    readSecret,
    lines,
    print,
    printPart,
    explain,
    interruptible,
    untilStopped,
  };
}

/** Writes to standard error, and does not mind if nobody reads it. */
export function explain(text: string): void {
  const { stderr } = process;
  if (stderr.listenerCount("error") === 0) stderr.on("error", () => {});
  stderr.write(text);
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

/** Whoever stops before the end closes standard input with it: a terminal that is read keeps the run going. */
function lines(): AsyncIterable<string> {
  return splitLines(process.stdin as AsyncIterable<Buffer>, "standard input");
}

/**
 * Returns once everything is written. A reader that has gone away, as `head` does, is none of our business.
 * Standard output stays open: to end a socket ends it for all who share it, as the rest of a script may.
 */
async function print(text: string | Uint8Array): Promise<void> {
  await printPart(text);
}

async function printPart(text: string | Uint8Array): Promise<boolean> {
  const { stdout } = process;
  const { promise, resolve } = Promise.withResolvers<Error | null | undefined>();
  // An error comes to the callback too; without a listener it would end the process.
  if (stdout.listenerCount("error") === 0) stdout.on("error", () => {});
  stdout.write(text, resolve);
  const error = await promise;
  if (error === null || error === undefined) return true;
  if ("code" in error && error.code === "EPIPE") return false;
  throw new Exit(exitCodes.failure, `cannot write to standard output: ${reasonOf(error)}`, { cause: error });
}

/** The last one is sent when the terminal is closed. */
export const stopSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

async function untilStopped(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    stop.abort(signal);
  };
  for (const signal of stopSignals) process.once(signal, onSignal);
  try {
    await work(stop.signal);
  } finally {
    for (const signal of stopSignals) process.off(signal, onSignal);
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
  for (const signal of stopSignals) process.once(signal, onSignal);
  try {
    await work(interruption.signal);
  } finally {
    for (const signal of stopSignals) process.off(signal, onSignal);
    // Now it does what it would have done: a shell has to see that the run was interrupted.
    if (received !== undefined) process.kill(process.pid, received);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
