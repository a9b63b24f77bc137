/** The command line of `make fuzz`. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";

export interface Options {
  readonly minutes: number;
  /** A single target; undefined: all of them. */
  readonly target: string | undefined;
  /** What to run again, in place of fresh seeds. */
  readonly replay: Replay | undefined;
  /** A pattern: where the targets are declared. */
  readonly files: string;
  readonly threads: number;
  /** A thread that stays with one input for so long hangs. */
  readonly silenceSeconds: number;
}

export interface Replay {
  readonly target: string;
  readonly seed: number;
  /** One input; undefined: what comes of the seed. */
  readonly path: string | undefined;
}

/** What was written cannot be meant. In the words of the Makefile. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** @throws {UsageError} */
export function readOptions(args: readonly string[]): Options {
  const values = parse(args);
  const { target, seed = "", at = "" } = values;
  return {
    minutes: numberOf("MINUTES", values.minutes ?? "1", { least: 0.01, most: 7 * 24 * 60, isWhole: false }),
    target,
    replay: seed === "" && at === "" ? undefined : replayOf(target, seed, at),
    files: values.files ?? "packages/*/test/**/*.fuzz.test.ts",
    threads: numberOf("--threads", values.threads ?? String(availableParallelism()), {
      least: 1,
      most: 256,
      isWhole: true,
    }),
    silenceSeconds: numberOf("--silence", values.silence ?? "20", { least: 1, most: 3600, isWhole: true }),
  };
}

function replayOf(target: string | undefined, seed: string, at: string): Replay {
  if (seed === "") throw new UsageError(`AT=${at} needs the SEED and the TARGET that it is for`);
  const number = numberOf("SEED", seed, { least: -(2 ** 31), most: 2 ** 31 - 1, isWhole: true });
  if (target === undefined) throw new UsageError(`SEED=${seed} needs the TARGET that it is for`);
  if (at !== "" && !/^\d+(?::\d+)*$/.test(at))
    throw new UsageError(`AT=${at} is not numbers with colons between them, as a failure names them`);
  return { target, seed: number, path: at === "" ? undefined : at };
}

function parse(args: readonly string[]): ReturnType<typeof parseUnchecked>["values"] {
  try {
    return parseUnchecked(args).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function parseUnchecked(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      minutes: { type: "string" },
      target: { type: "string" },
      seed: { type: "string" },
      at: { type: "string" },
      files: { type: "string" },
      threads: { type: "string" },
      silence: { type: "string" },
    },
  });
}

interface Range {
  readonly least: number;
  readonly most: number;
  readonly isWhole: boolean;
}

function numberOf(name: string, text: string, { least, most, isWhole }: Range): number {
  const value = Number(text);
  const isGood = value >= least && value <= most && (!isWhole || Number.isInteger(value));
  if (isGood && text.trim() !== "") return value;
  throw new UsageError(
    `${name}=${text} is not a ${isWhole ? "whole " : ""}number from ${String(least)} to ${String(most)}`,
  );
}
