import { ask } from "./ask.ts";
import { type Flags, type MemberPlan, toArguments } from "./flags.ts";
import { type Child, type Ending, describeEnding, startChild } from "./platform/child.ts";
import { hurry, poll } from "./platform/time.ts";

/** How long a member may take until it answers its clients. */
const readyMs = 20_000;

/** How long a member may take to end once it is asked to. */
const endMs = 15_000;

/** Lines of its log that are kept. */
const keptLines = 2_000;

export interface MemberOptions {
  readonly plan: MemberPlan;
  readonly flags: Flags;
  /** An executable file. */
  readonly program: string;
  /** Where it runs. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly certificates: string | undefined;
  readonly onLine: (member: string, line: string) => void;
}

/**
 * A member of a cluster, which is a process while it runs. It can be started again after it ended, with the
 * same addresses and data.
 */
export class Member {
  readonly name: string;
  readonly peerAddress: string;
  readonly clientAddress: string;
  readonly dataDir: string;
  readonly #options: MemberOptions;
  readonly #log: string[] = [];
  readonly #listeners = new Set<(line: string) => void>();
  #child: Child | undefined;
  /** Index in the log of the first line of the present life. */
  #lifeFrom = 0;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.name = options.plan.name;
    this.peerAddress = options.plan.peerAddress;
    this.clientAddress = options.plan.clientAddress;
    this.dataDir = options.plan.dataDir;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** Undefined while it does not run. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /**
   * The last 2,000 lines that it printed in all its lives: JSON, except for what failed before its log began.
   */
  get log(): readonly string[] {
    return this.#log;
  }

  /**
   * Starts the process; `flags` and `env` win over those of the cluster for this life. Throws if it is
   * running.
   */
  start(flags: Flags = {}, env: Readonly<Record<string, string>> = {}): void {
    if (this.#child !== undefined) throw new Error(`${this.name} is running already`);
    const { program, directory, environment } = this.#options;
    this.#lifeFrom = this.#log.length;
    const child = startChild({
      program,
      args: toArguments({ ...this.#options.flags, ...flags }),
      directory,
      environment: { ...environment, ...env },
      onLine: (line) => this.#onLine(line),
    });
    this.#child = child;
    const forget = (): void => {
      if (this.#child === child) this.#child = undefined;
    };
    child.ended.then(forget, forget);
  }

  /**
   * Sends a signal and resolves when the process is gone. Insists with SIGKILL after 15 s, and then rejects.
   */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Ending> {
    const child = this.#running();
    let isLate = false;
    child.signal(signal);
    // A process that stands still would never see the other signals.
    child.signal("SIGCONT");
    const ending = await hurry(child.ended, endMs, () => {
      isLate = true;
      child.signal("SIGKILL");
    });
    if (isLate) throw this.#failure(`did not end within ${String(endMs / 1000)} s of ${signal}`);
    return ending;
  }

  /** Takes the process away without a word: kill -9. */
  kill(): Promise<Ending> {
    return this.stop("SIGKILL");
  }

  /** Makes the process stand still, with its connections open. */
  pause(): void {
    this.#running().signal("SIGSTOP");
  }

  resume(): void {
    this.#running().signal("SIGCONT");
  }

  /** Resolves when the process ends, for whatever reason. */
  waitForEnd(): Promise<Ending> {
    return this.#running().ended;
  }

  /**
   * Resolves when it answers on its client port. Rejects with the end of its log if it ends before, or is
   * not.
   */
  async waitReady(): Promise<void> {
    const child = this.#running();
    const ask = async (): Promise<true | undefined> => {
      // The caller has been told already; this ends the loop.
      if (this.#child !== child) throw this.#failure("ended before it was ready");
      return this.#isLive();
    };
    const explain = (): Error => this.#failure(`does not answer on ${this.clientAddress}`);
    await this.#unlessEnded(poll(ask, { timeoutMs: readyMs, explain }));
  }

  /**
   * Resolves to the first line of this life that matches, printed already or yet to come. Rejects if it ends
   * first.
   */
  async waitForLine(pattern: RegExp): Promise<string> {
    const known = this.#log.slice(this.#lifeFrom).find((line) => pattern.test(line));
    if (known !== undefined) return known;
    const { promise, resolve } = Promise.withResolvers<string>();
    const listener = (line: string): void => {
      if (pattern.test(line)) resolve(line);
    };
    this.#listeners.add(listener);
    try {
      return await this.#unlessEnded(promise);
    } finally {
      this.#listeners.delete(listener);
    }
  }

  /** The JSON answer of its client port; undefined when it gives none. */
  async askJson(path: string, json?: unknown): Promise<unknown> {
    const { certificates } = this.#options;
    try {
      const { body } = await ask({ address: this.clientAddress, path, json, certificates });
      return JSON.parse(body);
    } catch {
      return undefined;
    }
  }

  async #isLive(): Promise<true | undefined> {
    const { certificates } = this.#options;
    try {
      const { status } = await ask({ address: this.clientAddress, path: "/livez", certificates });
      return status === 200 ? true : undefined;
    } catch {
      // It does not listen yet.
      return undefined;
    }
  }

  #running(): Child {
    if (this.#child === undefined) throw this.#failure("is not running");
    return this.#child;
  }

  #unlessEnded<Result>(promise: Promise<Result>): Promise<Result> {
    const ended = this.#running().ended.then((ending) => {
      throw this.#failure(`ended ${describeEnding(ending)}`);
    });
    return Promise.race([promise, ended]);
  }

  #onLine(line: string): void {
    this.#log.push(line);
    if (this.#log.length > keptLines) {
      this.#log.shift();
      this.#lifeFrom = Math.max(0, this.#lifeFrom - 1);
    }
    for (const listener of this.#listeners) listener(line);
    this.#options.onLine(this.name, line);
  }

  /** Tells what happened, and as its cause the end of the log. */
  #failure(what: string): Error {
    return new Error(`${this.name} ${what}`, {
      cause: { lastWords: this.#log.slice(this.#lifeFrom).slice(-10) },
    });
  }
}
