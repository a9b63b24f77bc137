/** What `make sim`, `make soak` and their like are asked to do. */
import { parseArgs } from "node:util";

/** One run, the same whenever it is asked for. */
export interface SimTask {
  readonly kind: "sim";
  readonly seed: number;
  /** Numbers of the faults that are kept; undefined: all. */
  readonly keep: ReadonlySet<number> | undefined;
  /** Simulated, before everything is healed; undefined: as the seed draws. */
  readonly seconds: number | undefined;
  readonly isTraced: boolean;
}

export type Task =
  | SimTask
  /** Fresh seeds until the time is up. */
  | { readonly kind: "soak"; readonly minutes: number }
  /** The seeds of regressions, and so many fresh ones. */
  | { readonly kind: "check"; readonly count: number }
  /** How fast so long a run of a calm cluster is. */
  | { readonly kind: "speed"; readonly seconds: number };

/** What was written cannot be meant. One line, in the words of the Makefile. */
export class Mistake extends Error {
  override readonly name = "Mistake";
}

interface Bounds {
  readonly least: number;
  readonly most: number;
  readonly isWhole: boolean;
}

const seeds: Bounds = { least: 0, most: 2 ** 32 - 1, isWhole: true };
const seconds: Bounds = { least: 1, most: 3600, isWhole: true };
const minutes: Bounds = { least: 0.01, most: 7 * 24 * 60, isWhole: false };
const counts: Bounds = { least: 1, most: 1e9, isWhole: true };

/** @throws {Mistake} */
export function readTask(args: readonly string[]): Task {
  const { what, values } = parsed(args);
  switch (what) {
    case "sim":
      return {
        kind: "sim",
        seed: numberOf("SEED", values.seed, seeds),
        keep: keptOf(values.keep),
        seconds: values.seconds ? numberOf("SECONDS", values.seconds, seconds) : undefined,
        isTraced: values.trace === true,
      };
    case "soak":
      return { kind: "soak", minutes: numberOf("MINUTES", values.minutes, minutes) };
    case "check":
      return { kind: "check", count: numberOf("COUNT", values.count, counts) };
    case "speed":
      return { kind: "speed", seconds: numberOf("SECONDS", values.seconds, seconds) };
    default:
      throw new Mistake(`${what ?? "nothing"} is not sim, soak, check or speed`);
  }
}

function parsed(args: readonly string[]) {
  const text = { type: "string" } as const;
  const options = {
    seed: text,
    keep: text,
    seconds: text,
    minutes: text,
    count: text,
    trace: { type: "boolean" },
  } as const;
  try {
    const { positionals, values } = parseArgs({ args: [...args], allowPositionals: true, options });
    if (positionals.length > 1) throw new Mistake(`${String(positionals[1])} is one word too many`);
    return { what: positionals[0], values };
  } catch (error) {
    throw error instanceof Error ? new Mistake(error.message) : error;
  }
}

function numberOf(name: string, text: string | undefined, { least, most, isWhole }: Bounds): number {
  const range = `${isWhole ? "a whole number" : "a number"} from ${String(least)} to ${String(most)}`;
  if (text === undefined || text === "") throw new Mistake(`${name} is missing: write ${name}=N, ${range}`);
  const number = Number(text);
  const isRight = number >= least && number <= most && (!isWhole || Number.isInteger(number));
  if (!isRight || text.trim() === "") throw new Mistake(`${name}=${text} is not ${range}`);
  return number;
}

function keptOf(text: string | undefined): ReadonlySet<number> | undefined {
  if (text === undefined || text === "") return undefined;
  if (text === "none") return new Set();
  const numbers = text.split(",");
  if (numbers.some((each) => !/^\d+$/.test(each)))
    throw new Mistake(`KEEP=${text} is not a list of faults' numbers with commas between them, or none`);
  return new Set(numbers.map(Number));
}
