/** Other programs that dkvctl runs. */
import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { constants, hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";

import { Exit } from "../exit.ts";
import { fileTrouble } from "../file-trouble.ts";
import { stopSignals } from "./standard-io.ts";

export { hostname };

export interface ChildOptions {
  /** Besides the environment of this process; undefined: without that variable. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What it reads; what this process reads unless given. */
  readonly input?: Uint8Array;
  /** Told to end when this is aborted, with the signal that is the reason. It has all the time it takes. */
  readonly end?: AbortSignal;
  /** Has to end when this is aborted: with SIGTERM, and with SIGKILL what is still there after some seconds. */
  readonly mustEnd?: AbortSignal;
  /**
   * Whether a terminal sends Ctrl-C to the child too, so that nobody has to pass it on. Otherwise the child
   * has a process group of its own, and what it has started is ended with it.
   */
  readonly sharesTerminal: boolean;
}

/** How long a child has that must end. */
const graceMs = 5000;
const lookMs = 50;

/**
 * Runs a program, or as a single text a shell with it, and waits for its end.
 *
 * @returns its exit code, or as shells have it 128 and the number of the signal that ended it
 * @throws Exit if it cannot be started, with the code that shells have for that
 */
export async function runChild(command: string | readonly string[], options: ChildOptions): Promise<number> {
  const { environment, input, end, mustEnd, sharesTerminal } = options;
  const [program = "", ...words] = typeof command === "string" ? ["/bin/sh", "-c", command] : command;
  const child = start(program, words, {
    env: { ...process.env, ...environment },
    stdio: [input === undefined ? "inherit" : "pipe", "inherit", "inherit"],
    detached: !sharesTerminal,
  });
  // A program that does not read its input breaks the pipe.
  child.stdin?.on("error", () => {});
  child.stdin?.end(input);
  const kill: Kill = (signal) => (sharesTerminal ? child.kill(signal) : killGroup(child.pid, signal));
  let ending: Promise<void> | undefined;
  const stops: (() => void)[] = [];
  const onEnd = (reason: unknown): void => {
    if (reason === "SIGINT" && sharesTerminal) return;
    kill(stopSignals.find((signal) => signal === reason) ?? "SIGTERM");
    // Whoever then ends this process at once means the child too, which has no terminal to hear it from.
    stops.push(...stopSignals.map((signal) => onSignal(signal, () => kill("SIGKILL"))));
  };
  stops.push(
    onAbort(end, onEnd),
    onAbort(mustEnd, () => {
      ending = endForGood(kill);
    }),
  );
  try {
    const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    await ending;
    return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  } catch (error) {
    throw cannotRun(program, error);
  } finally {
    for (const stop of stops) stop();
  }
}

function start(program: string, words: readonly string[], options: SpawnOptions): ChildProcess {
  try {
    return spawn(program, words, options);
  } catch (error) {
    throw cannotRun(program, error);
  }
}

function cannotRun(program: string, error: unknown): Exit {
  const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
  return new Exit(
    isMissing ? 127 : 126,
    `cannot run ${program}: ${isMissing ? "there is no such program" : fileTrouble(error)}`,
    { cause: error },
  );
}

/** False if there is nobody any more. The signal 0 only asks. */
type Kill = (signal: NodeJS.Signals | 0) => boolean;

function killGroup(pid: number | undefined, signal: NodeJS.Signals | 0): boolean {
  try {
    return pid !== undefined && process.kill(-pid, signal);
  } catch {
    return false;
  }
}

async function endForGood(kill: Kill): Promise<void> {
  kill("SIGTERM");
  for (let waitedMs = 0; waitedMs < graceMs && kill(0); waitedMs += lookMs) await delay(lookMs);
  kill("SIGKILL");
}

/** Listens until it is stopped by what it returns. */
function onAbort(signal: AbortSignal | undefined, listener: (reason: unknown) => void): () => void {
  const listen = (): void => listener(signal?.reason);
  signal?.addEventListener("abort", listen, { once: true });
  if (signal?.aborted === true) listen();
  return () => signal?.removeEventListener("abort", listen);
}

/** Does something more when a signal ends this process. */
function onSignal(signal: NodeJS.Signals, listener: () => void): () => void {
  const listen = (): void => {
    listener();
    process.kill(process.pid, signal);
  };
  process.once(signal, listen);
  return () => process.off(signal, listen);
}
