import { resolve } from "node:path";
import { parseArgs } from "node:util";

/** One flag. An empty `value` stands for a flag that takes none and is `false` unless it is given. */
export interface Flag {
  /** What the value is called in the help text. */
  readonly value: string;
  readonly default: string;
  readonly describe: string;
}

/** By name, without dashes. */
export type FlagTable = Readonly<Record<string, Flag>>;

/** A wrong flag; the message is one line for the person who typed it. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export interface NumberRange {
  readonly min: number;
  readonly max?: number;
  readonly whole?: true;
}

/** What a program was started with. */
export interface Given {
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** The environment variable of `--data-dir` is this and `DATA_DIR`. */
  readonly prefix: string;
}

/** Reads flags, then the environment, then defaults. All that it reads is refused with a UsageError. */
export class FlagReader<Name extends string> {
  readonly #flags: Readonly<Record<Name, Flag>>;
  readonly #given: Given;
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(flags: Readonly<Record<Name, Flag>>, given: Given) {
    this.#flags = flags;
    this.#given = given;
    this.#values = parse(flags, given.args);
  }

  get asksForHelp(): boolean {
    return this.#values["help"] === true;
  }

  text(name: Name): string {
    const value = this.#values[name];
    if (value === true) return "true";
    const { environment, prefix } = this.#given;
    const absent = environment[environmentName(prefix, name)] ?? this.#flags[name].default;
    return (typeof value === "string" ? value : absent).trim();
  }

  number(name: Name, range: NumberRange): number {
    return readNumber(`--${name}`, this.text(name), range);
  }

  numbers(name: Name, range: NumberRange): readonly number[] {
    return list(this.text(name)).map((item) => readNumber(`--${name}`, item, range));
  }

  isSet(name: Name): boolean {
    return choice(`--${name}`, this.text(name), ["true", "false"]) === "true";
  }

  /** Absolute; undefined when nothing is given. */
  path(name: Name): string | undefined {
    return this.text(name) === "" ? undefined : resolve(this.text(name));
  }

  choice<Choice extends string>(name: Name, choices: readonly Choice[]): Choice {
    return choice(`--${name}`, this.text(name), choices);
  }

  choices<Choice extends string>(name: Name, choices: readonly Choice[]): readonly Choice[] {
    return list(this.text(name)).map((item) => choice(`--${name}`, item, choices));
  }
}

/** The flags as lines of a help text, `--help` among them. */
export function describeFlags(flags: FlagTable): string {
  const lines = Object.entries(flags).map(([name, flag]) => {
    const shown = flag.default === "" || flag.value === "" ? "" : ` [${flag.default}]`;
    return `  ${`--${name} ${flag.value}`.padEnd(26)}${flag.describe}${shown}`;
  });
  return [...lines, `  ${"--help".padEnd(26)}this text`].join("\n");
}

export function environmentName(prefix: string, flag: string): string {
  return prefix + flag.replaceAll("-", "_").toUpperCase();
}

function parse(flags: FlagTable, args: readonly string[]): Record<string, unknown> {
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, { value }]) => [
      name,
      { type: value === "" ? "boolean" : "string" } as const,
    ]),
  );
  try {
    return parseArgs({ args: [...args], options: { ...options, help: { type: "boolean", short: "h" } } })
      .values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function list(text: string): readonly string[] {
  return text.split(",").map((item) => item.trim());
}

function readNumber(what: string, text: string, range: NumberRange): number {
  const value = text === "" ? Number.NaN : Number(text);
  const { min, max = Number.MAX_SAFE_INTEGER, whole } = range;
  if (value >= min && value <= max && (whole === undefined || Number.isInteger(value))) return value;
  const kind = whole === undefined ? "number" : "whole number";
  throw new UsageError(`${what} takes a ${kind} from ${min} to ${max}, not "${text}"`);
}

function choice<Choice extends string>(what: string, text: string, choices: readonly Choice[]): Choice {
  const found = choices.find((known) => known === text);
  if (found !== undefined) return found;
  throw new UsageError(`${what} takes ${choices.join(", ")}, not "${text}"`);
}
