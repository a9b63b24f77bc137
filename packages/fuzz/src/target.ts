/** Targets: what reads bytes from outside, with the inputs that it is given and what must hold. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { withinBounds } from "./bounds.ts";

export interface Target {
  /** For example "peer frames"; no two are called the same. */
  readonly name: string;
  /** Tries inputs until the number or the time is reached, or one fails. */
  readonly run: (how: RunOptions) => Promise<Outcome>;
}

export interface RunOptions {
  readonly seed: number;
  /** Where to go on, as fast-check has it: a single input, if it is the path of one. */
  readonly path?: string | undefined;
  readonly runs: number;
  readonly timeMs: number;
  /** Called before each input. */
  readonly onRun?: (() => void) | undefined;
}

export interface Outcome {
  /** None if the path leads to no input. */
  readonly runs: number;
  /** In words, with the command that repeats it; undefined if everything held. */
  readonly failure: string | undefined;
}

export interface FuzzOptions {
  /** In `make test`; 300 unless said otherwise. */
  readonly runs?: number;
}

/** Most time that a target takes in `make test`. */
const testTimeMs = 1500;

let collected: Target[] | undefined;

/**
 * Declares a target: in a test file a test with a few hundred runs. `check` throws if something does not
 * hold; it must end by itself, and what it may cost is checked besides.
 */
export function fuzz<Input>(
  name: string,
  { input, check, runs = 300 }: FuzzOptions & FuzzTarget<Input>,
): void {
  const target: Target = { name, run: (how) => run(name, { input, check }, how) };
  if (collected !== undefined) {
    collected.push(target);
    return;
  }
  void test(`fuzz: ${name}`, async () => {
    const { failure } = await target.run({ seed: freshSeed(), runs, timeMs: testTimeMs });
    if (failure !== undefined) assert.fail(failure);
  });
}

export interface FuzzTarget<Input> {
  readonly input: fc.Arbitrary<Input>;
  readonly check: (input: Input) => void | Promise<void>;
}

/** From now on targets are handed out here and are no tests. */
export function collectTargets(): readonly Target[] {
  collected ??= [];
  return collected;
}

/** The seed that fast-check would take. */
const freshSeed = (): number =>
  fc.check(
    fc.property(fc.constant(0), () => true),
    { numRuns: 1 },
  ).seed;

async function run<Input>(
  name: string,
  { input, check }: FuzzTarget<Input>,
  { seed, path, runs, timeMs, onRun }: RunOptions,
): Promise<Outcome> {
  let last: Promise<void> = Promise.resolve();
  let started = 0;
  const property = fc.asyncProperty(input, async (one) => {
    onRun?.();
    started += 1;
    last = withinBounds(one, () => check(one));
    await last;
  });
  let details: fc.RunDetails<unknown>;
  try {
    details = await fc.check(property, {
      seed,
      numRuns: runs,
      plugins: [fc.interruptAfterTimeLimit(timeMs)],
      ...(path === undefined ? {} : { path }),
    });
  } catch (error) {
    // What goes wrong in a run is among the details; this is about the path.
    if (path === undefined || started > 0) throw error;
    return { runs: 0, failure: undefined };
  }
  if (!details.failed || details.counterexample === null) {
    // When the time is up it is not waited for, as if it were well. One that hangs has this wait for ever.
    const failure = await last.then(() => undefined, toError);
    return {
      runs: started,
      failure:
        failure && `${name} failed: ${stackOf(failure)}\n${replayText(name, seed, String(started - 1))}`,
    };
  }
  const { counterexample, counterexamplePath, errorInstance } = details;
  const error = errorInstance instanceof Error ? stackOf(errorInstance) : String(errorInstance);
  const example = fc.stringify(Array.isArray(counterexample) ? counterexample[0] : counterexample);
  return {
    runs: details.numRuns,
    failure: [
      `${name} failed: ${error}`,
      `input: ${example.length > mostShown ? `${example.slice(0, mostShown)}…` : example}`,
      replayText(name, seed, counterexamplePath ?? ""),
    ].join("\n"),
  };
}

const toError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
const stackOf = (error: Error): string => error.stack ?? error.message;

/** Characters of an input that are shown. */
const mostShown = 2000;

/** How to see it again. */
export const replayText = (name: string, seed: number, path: string): string =>
  `replay: make fuzz TARGET='${name}' SEED=${String(seed)} AT=${path}`;
