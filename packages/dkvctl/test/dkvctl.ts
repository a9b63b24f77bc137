/** Runs the real program, as a shell would. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

// The program runs from its bundle: make that of the sources as they are now.
import "../build.ts";

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
