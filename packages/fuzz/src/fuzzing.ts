/** Hands targets to threads, watches these, and tells what came of it. */
import { FuzzThread, type ThreadEnd } from "./fuzz-thread.ts";
import { type Replay, UsageError } from "./options.ts";
import { replayText } from "./target.ts";

export interface FuzzingOptions {
  /** What a thread runs. */
  readonly script: URL;
  readonly files: readonly string[];
  /** The name of a single target; all of them if undefined. */
  readonly only: string | undefined;
  readonly timeMs: number;
  readonly threads: number;
  /** A thread that stays with one input for so long hangs. */
  readonly silenceMs: number;
  readonly nowMs: () => number;
  /** Returns what calls it off. */
  readonly after: (delayMs: number, callback: () => void) => () => void;
  /** A fresh one each time. */
  readonly seed: () => number;
  readonly print: (line: string) => void;
}

/** A target's turn. Many short ones, so that each of them is seen early on. */
const turnMs = 1000;
const progressMs = 10_000;

/** In all, and the time that was spent on it. */
interface Tally {
  runs: number;
  timeMs: number;
}

export class Fuzzing {
  readonly #options: FuzzingOptions;
  readonly #tallies = new Map<string, Tally>();
  /** Targets that failed are not run again: the same would be found. */
  readonly #failed = new Set<string>();
  #startMs: number;
  /** Of all targets, chosen or not. */
  #names: readonly string[] = [];
  #next = 0;
  #toldMs = 0;

  constructor(options: FuzzingOptions) {
    this.#options = options;
    this.#startMs = options.nowMs();
  }

  /**
   * Runs until the time is up; returns the exit code.
   * @throws {UsageError} if there is no such target
   */
  async run(): Promise<number> {
    const first = await this.#first();
    if (first === undefined) return 1;
    const others = Array.from({ length: this.#options.threads - 1 }, () => this.#start());
    const threads = [first, ...(await Promise.all(others))];
    // To load the targets may take as long as a short run, and is none of it.
    this.#startMs = this.#options.nowMs();
    this.#toldMs = this.#startMs;
    await Promise.all(threads.map((thread) => this.#drive(thread)));
    this.#summarise();
    return this.#failed.size === 0 ? 0 : 1;
  }

  /**
   * Runs one input, or one seed; returns the exit code.
   * @throws {UsageError} if there is no such target or input
   */
  async replay({ target, seed, path }: Replay): Promise<number> {
    const { print, silenceMs } = this.#options;
    const thread = await this.#first();
    if (thread === undefined) return 1;
    const runs = path === undefined ? 100_000 : 1;
    const timeMs = path === undefined ? turnMs : silenceMs;
    const end = await thread.run({ target, seed, path, runs, timeMs });
    await thread.kill();
    if (path !== undefined && end.kind === "outcome" && end.outcome.runs === 0)
      throw new UsageError(`AT=${path} leads nowhere from SEED=${String(seed)}`);
    this.#judge({ target, seed }, end);
    if (this.#failed.size > 0) return 1;
    print(`fuzz: ${target}: nothing failed`);
    return 0;
  }

  /** One thread after the other, as long as there is time. */
  async #drive(first: FuzzThread | undefined): Promise<void> {
    let thread = first;
    while (thread !== undefined) {
      const target = this.#nextTarget();
      if (target === undefined) break;
      const seed = this.#options.seed();
      const startedMs = this.#options.nowMs();
      const end = await thread.run({ target, seed, runs: 1_000_000, timeMs: this.#turn() });
      this.#count(target, end, this.#options.nowMs() - startedMs);
      this.#judge({ target, seed }, end);
      this.#tell();
      if (end.kind !== "outcome") {
        await thread.kill();
        thread = await this.#start();
      }
    }
    await thread?.stop();
  }

  /** The thread that tells which targets there are; undefined as from `#start`. */
  async #first(): Promise<FuzzThread | undefined> {
    const thread = await this.#start();
    if (thread === undefined || this.#tallies.size > 0) return thread;
    await thread.kill();
    const { only } = this.#options;
    if (only === undefined) throw new UsageError("there is no target in any of the files");
    throw new UsageError([`there is no target TARGET='${only}'; there are:`, ...this.#names].join("\n  "));
  }

  /** Undefined, and said why, if the targets cannot be loaded. */
  async #start(): Promise<FuzzThread | undefined> {
    const { script, files, only, print, after, silenceMs } = this.#options;
    const thread = new FuzzThread({ script, files, after, silenceMs });
    const names = await thread.targets();
    if (typeof names === "string") {
      print(`fuzz: the targets cannot be loaded: ${names}`);
      this.#failed.add("");
      return undefined;
    }
    this.#names = names;
    const chosen = names.filter((name) => only === undefined || name === only);
    for (const name of chosen) if (!this.#tallies.has(name)) this.#tallies.set(name, { runs: 0, timeMs: 0 });
    return thread;
  }

  /** Undefined when there is no more to do. */
  #nextTarget(): string | undefined {
    if (this.#leftMs() <= 0) return undefined;
    const names = [...this.#tallies.keys()].filter((name) => !this.#failed.has(name));
    this.#next += 1;
    return names[this.#next % names.length];
  }

  #leftMs(): number {
    return this.#startMs + this.#options.timeMs - this.#options.nowMs();
  }

  /** Each target has its turn, however short the time. */
  #turn(): number {
    const { timeMs, threads } = this.#options;
    return Math.min(turnMs, Math.max(50, (timeMs * threads) / (2 * this.#tallies.size)));
  }

  #count(target: string, end: ThreadEnd, timeMs: number): void {
    const tally = this.#tallies.get(target);
    if (tally === undefined) return;
    tally.runs += end.kind === "outcome" ? end.outcome.runs : end.run;
    tally.timeMs += timeMs;
  }

  #judge({ target, seed }: { readonly target: string; readonly seed: number }, end: ThreadEnd): void {
    const failure =
      end.kind === "outcome"
        ? end.outcome.failure
        : `${target} failed: ${end.why}\n${replayText(target, seed, String(Math.max(0, end.run - 1)))}`;
    if (failure === undefined) return;
    this.#failed.add(target);
    this.#options.print(`\n${failure}\n`);
  }

  /** Now and then one line of how far it is. */
  #tell(): void {
    const nowMs = this.#options.nowMs();
    if (nowMs - this.#toldMs < progressMs) return;
    this.#toldMs = nowMs;
    this.#options.print(this.#line());
  }

  #line(): string {
    const { nowMs, timeMs } = this.#options;
    const seconds = Math.round((nowMs() - this.#startMs) / 1000);
    let runs = 0;
    for (const tally of this.#tallies.values()) runs += tally.runs;
    return (
      `fuzz: ${String(seconds)} of ${String(Math.round(timeMs / 1000))} s, ${grouped(runs)} runs of ` +
      `${String(this.#tallies.size)} targets, ${String(this.#failed.size)} failed`
    );
  }

  #summarise(): void {
    const width = Math.max(...[...this.#tallies.keys()].map(({ length }) => length));
    for (const [name, { runs, timeMs }] of this.#tallies) {
      const rate = timeMs === 0 ? 0 : Math.round((runs * 1000) / timeMs);
      const verdict = this.#failed.has(name) ? "  FAILED" : "";
      this.#options.print(
        `  ${name.padEnd(width)}${grouped(runs).padStart(12)} runs${grouped(rate).padStart(9)} a second${verdict}`,
      );
    }
    this.#options.print(this.#line());
  }
}

const grouped = (count: number): string => count.toLocaleString("en-US");
