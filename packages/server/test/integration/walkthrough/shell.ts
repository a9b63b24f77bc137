/** A shell into which the lines of a walkthrough are typed: some start members, others print and end. */
import { execFile } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Child, type Ending, startChild } from "@dkv/cluster";
import { scratchDirectory } from "../fixture.ts";

const run = promisify(execFile);
export const repository = fileURLToPath(new URL("../../../../../", import.meta.url));
const dkv = join(repository, "packages/server/bin/dkv.js");

/** Why a walkthrough cannot be walked here; false if it can. */
export const lacksCurl = await run("curl", ["--version"]).then(
  () => false as const,
  () => "curl is not installed",
);

/** How long a line is waited for, on a machine that does much else. */
const patienceMs = 60_000;

/** A program that was started by a line, with what it has printed. */
export class Started {
  readonly line: string;
  readonly printed: string[] = [];
  readonly #child: Child;
  readonly #listeners = new Set<(line: string) => void>();

  constructor(line: string, shell: Shell) {
    this.line = line;
    this.#child = startChild({
      program: "sh",
      args: ["-c", `exec ${line}`],
      directory: shell.directory,
      environment: shell.environment,
      onLine: (printed) => {
        this.printed.push(printed);
        for (const listener of this.#listeners) listener(printed);
      },
    });
  }

  /** Resolves to the first line of this kind. Rejects if the program ends first, or never prints one. */
  async prints(pattern: RegExp): Promise<string> {
    const known = this.printed.find((line) => pattern.test(line));
    if (known !== undefined) return known;
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const listener = (line: string): void => {
      if (pattern.test(line)) resolve(line);
    };
    this.#listeners.add(listener);
    const giveUp = (what: string) => (): void => {
      reject(new Error(`${this.line} ${what} ${String(pattern)}:\n${this.printed.join("\n")}`));
    };
    const timer = setTimeout(giveUp("does not print"), patienceMs);
    void this.#child.ended.then(giveUp("ended without"));
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#listeners.delete(listener);
    }
  }

  /** Resolves when a member knows who leads: itself perhaps, for elections are nobody's to choose. */
  async hasLeader(): Promise<void> {
    await this.prints(/\b(?:following|leading)\b/);
  }

  /** Resolves when a member answers clients. */
  async ready(): Promise<this> {
    await this.prints(/ready for clients/);
    return this;
  }

  /** Sends a signal to it and to what it has started, as a terminal does, and resolves when all are gone. */
  ends(signal: NodeJS.Signals): Promise<Ending> {
    try {
      process.kill(-this.#child.pid, signal);
    } catch (error) {
      // They have ended by themselves.
      if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
    }
    return this.#child.ended;
  }
}

export class Shell {
  /** Empty at first. */
  readonly directory = scratchDirectory();
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly #test: TestContext;

  constructor(test: TestContext) {
    const inherited = Object.entries(process.env).filter(([name]) => !/^(?:DKV_|M\w*FLAGS|MAKE)/.test(name));
    const path = [dirname(process.execPath), process.env["PATH"]].join(delimiter);
    // Short, for leaders die here; long enough that a slow machine deposes none between two steps.
    this.environment = { ...Object.fromEntries(inherited), PATH: path, DKV_ELECTION_TIMEOUT: "1500ms" };
    this.#test = test;
  }

  /** Makes the program of an older system, under its name, of one of dkv's commands. */
  install(name: string, command: string): void {
    const file = join(this.directory, name);
    writeFileSync(file, `#!/bin/sh\nexec node ${dkv} ${command} "$@"\n`);
    chmodSync(file, 0o755);
  }

  /** Runs in the background until it is ended; it is killed after the test. */
  start(line: string): Started {
    const started = new Started(line, this);
    this.#test.after(() => started.ends("SIGKILL"));
    return started;
  }

  /** Runs to its end, and resolves to what it printed. Rejects if it fails. */
  async type(line: string): Promise<string> {
    const { directory: cwd, environment: env } = this;
    return (await run("sh", ["-c", line], { cwd, env, encoding: "latin1", timeout: 60_000 })).stdout;
  }
}
