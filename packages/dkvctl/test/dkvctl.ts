/** Runs the real program, as a shell would. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import type { Io } from "../src/commands/command.ts";

export interface Ending {
  readonly code: number | null;
  /** What ended it, if a signal did. */
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  /** Standard output as bytes. */
  readonly output: Buffer;
  readonly stderr: string;
}

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  readonly directory?: string;
  /** Where standard output goes instead: a file descriptor. */
  readonly stdout?: number;
  /** Sent to it as soon as it is known. */
  readonly kill?: Promise<NodeJS.Signals>;
}

const program = fileURLToPath(new URL("../bin/dkvctl.js", import.meta.url));

/** Nothing of the environment of the tests reaches the program, except where to find Node. */
const bare = { PATH: process.env["PATH"] ?? "" };

export async function dkvctl(words: readonly string[], options: RunOptions = {}): Promise<Ending> {
  const { environment = {}, input = "", directory, stdout = "pipe", kill } = options;
  const child = spawn(process.execPath, [program, ...words], {
    env: { ...bare, ...environment },
    stdio: ["pipe", stdout, "pipe"],
    ...(directory !== undefined && { cwd: directory }),
  });
  // A program that ends without reading its input breaks the pipe.
  child.stdin?.on("error", () => {});
  child.stdin?.end(input);
  void kill?.then((name) => child.kill(name));
  const [[code, signal], out, errors] = await Promise.all([
    once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>,
    collect(child.stdout),
    collect(child.stderr),
  ]);
  return { code, signal, stdout: out.toString(), output: out, stderr: errors.toString() };
}

async function collect(stream: AsyncIterable<Buffer> | null): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream ?? []) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A run that goes on. */
export interface Running {
  /** The next line of standard output, without its end; undefined after the last. */
  line(): Promise<string | undefined>;
  kill(signal: NodeJS.Signals): void;
  /** With what was on standard error. */
  readonly ending: Promise<Pick<Ending, "code" | "signal" | "stderr">>;
}

/** Starts the real program. */
export function startDkvctl(words: readonly string[]): Running {
  const child = spawn(process.execPath, [program, ...words], {
    env: bare,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ending = Promise.all([once(child, "close"), collect(child.stderr)]).then(
    ([[code, signal], errors]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      stderr: errors.toString(),
    }),
  );
  return {
    line: async () => {
      const { value, done } = await lines.next();
      return done === true ? undefined : value;
    },
    kill: (signal) => {
      child.kill(signal);
    },
    ending,
  };
}

/** What a command at a terminal may do and the tests of it do not look at. */
export const unusedIo: Pick<
  Io,
  "readsFromTerminal" | "readInput" | "readSecret" | "lines" | "printPart" | "untilStopped"
> = {
  readsFromTerminal: false,
  readInput: () => Promise.resolve(new Uint8Array()),
  readSecret: () => Promise.resolve(""),
  lines: async function* () {},
  printPart: () => Promise.resolve(true),
  untilStopped: (work) => work(new AbortController().signal),
};
