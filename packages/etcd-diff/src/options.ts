/** The command line of `make etcd-diff`. */
import { parseArgs } from "node:util";
import { families, type Family, unusual } from "./generate/generate.ts";

export interface Options {
  readonly count: number;
  readonly seed: number;
  /** What etcd is compared with. */
  readonly against: "dkv" | "etcd";
  /** Of dkv. */
  readonly members: number;
  readonly families: readonly Family[];
  /** Steps to play in the place of drawn ones. */
  readonly replay: string | undefined;
  /** How long a stream is made smaller; 0: not at all. */
  readonly shrinkSeconds: number;
}

/** A command line that cannot be meant. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const usage = [
  "usage: make etcd-diff [N=n] [SEED=n] [REPLAY=file] [DIFF='flags']",
  "",
  "  --count N         requests (10000)",
  "  --seed N          decides which ones (drawn)",
  "  --against S       dkv, or etcd for a second one of these (dkv)",
  "  --members N       of dkv: 1 or 3 (1)",
  `  --only F,...      these families alone: ${families.join(", ")}`,
  `  --without F,...   all but these; ${unusual.join(", ")} unless one of the two flags is given`,
  "  --replay FILE     the steps in this file, as a run with a difference leaves it",
  "  --shrink N        seconds for making a stream smaller (300)",
].join("\n");

/** @throws {UsageError} */
export function readOptions(args: readonly string[], freshSeed: () => number): Options | "help" {
  const values = parse(args);
  if (values.help === true) return "help";
  const members = Number(oneOf("members", values.members ?? "1", ["1", "3"]));
  return {
    count: numberOf("count", values.count ?? "10000", [1, 100_000_000]),
    seed: values.seed === undefined ? freshSeed() : numberOf("seed", values.seed, [0, 2 ** 32 - 1]),
    against: oneOf("against", values.against ?? "dkv", ["dkv", "etcd"]),
    members,
    // Three members answer otherwise than one when they are asked about members.
    families: familiesOf(values, members === 1 ? unusual : [...unusual, "cluster"]),
    replay: values.replay,
    shrinkSeconds: numberOf("shrink", values.shrink ?? "300", [0, 100_000]),
  };
}

type Values = ReturnType<typeof parseUnchecked>["values"];

function parse(args: readonly string[]): Values {
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
      count: { type: "string" },
      seed: { type: "string" },
      against: { type: "string" },
      members: { type: "string" },
      only: { type: "string" },
      without: { type: "string" },
      replay: { type: "string" },
      shrink: { type: "string" },
      help: { type: "boolean" },
    },
  });
}

function familiesOf({ only, without }: Values, usuallyLeft: readonly Family[]): readonly Family[] {
  const list = (flag: string, text: string): readonly Family[] =>
    text.split(",").map((name) => oneOf(flag, name, families));
  if (only !== undefined) return list("only", only);
  const left = without === undefined ? usuallyLeft : list("without", without);
  return families.filter((family) => !left.includes(family));
}

function oneOf<Choice extends string>(flag: string, text: string, choices: readonly Choice[]): Choice {
  const choice = choices.find((one) => one === text);
  if (choice === undefined) throw new UsageError(`--${flag} ${text} is none of ${choices.join(", ")}`);
  return choice;
}

function numberOf(flag: string, text: string, [least, most]: readonly [number, number]): number {
  const value = Number(text);
  if (text !== "" && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new UsageError(`--${flag} ${text} is not a whole number from ${String(least)} to ${String(most)}`);
}
