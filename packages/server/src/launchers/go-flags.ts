/** Command lines as programs in Go read them. Source: the documentation of Go's package flag. */
import { usage } from "../config/value-reader.ts";

export interface GoFlag {
  /** Whether it is true or false: its value can then only follow a `=`, and is true without one. */
  readonly kind: "text" | "switch";
  readonly default: string;
  readonly describe: string;
}

export type GoFlags<Name extends string> = Readonly<Record<Name, GoFlag>>;

const truths = ["1", "t", "T", "true", "TRUE", "True"];
const falsehoods = ["0", "f", "F", "false", "FALSE", "False"];

/**
 * The value of every flag, `true` or `false` for a switch; undefined if help is wanted. One dash or two mean
 * the same; of a flag that is given twice, the last one counts. Throws a StartupError of kind `usage`.
 */
export function readGoFlags<Name extends string>(
  words: readonly string[],
  flags: GoFlags<Name>,
): Readonly<Record<Name, string>> | undefined {
  const given = givenGoFlags(words, flags);
  if (given === undefined) return undefined;
  const names = Object.keys(flags) as Name[];
  return Object.fromEntries(names.map((name) => [name, given.get(name) ?? flags[name].default])) as Record<
    Name,
    string
  >;
}

/** As {@link readGoFlags}, those alone that are given. */
export function givenGoFlags<Name extends string>(
  words: readonly string[],
  flags: GoFlags<Name>,
): ReadonlyMap<Name, string> | undefined {
  const names = Object.keys(flags) as Name[];
  const values = new Map<Name, string>();
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const { name: written = "", value } =
      /^--?(?<name>[^-=][^=]*)(?:=(?<value>.*))?$/s.exec(word)?.groups ?? {};
    if (written === "") throw usage(`"${word}" is no flag: write -NAME=VALUE, with one dash or two`);
    if (written === "help" || written === "h") return undefined;
    const name = names.find((known) => known === written);
    if (name === undefined) throw usage(`there is no flag -${written}; ${namesFor(names)}`);
    const isSwitch = flags[name].kind === "switch";
    values.set(name, isSwitch ? truthOf(name, value) : textOf(name, value ?? rest.shift()));
  }
  return values;
}

/** What the flags are, for people. */
export function helpText(usageLine: string, flags: GoFlags<string>): string {
  const rows = Object.entries(flags).map(
    ([name, { describe, default: fallback }]) =>
      `  -${name}\n    \t${describe}${fallback === "" ? "" : ` (default ${fallback})`}`,
  );
  return [`Usage: ${usageLine}`, ...rows].join("\n");
}

/** `true` or `false`, if the text is one of the words for it. */
export function truth(text: string): "true" | "false" | undefined {
  if (truths.includes(text)) return "true";
  return falsehoods.includes(text) ? "false" : undefined;
}

function truthOf(name: string, value: string | undefined): string {
  const known = truth(value ?? "true");
  if (known === undefined) throw usage(`-${name} is "${value ?? ""}": write -${name}=true or -${name}=false`);
  return known;
}

function textOf(name: string, value: string | undefined): string {
  if (value === undefined) throw usage(`-${name} has no value: write -${name}=VALUE`);
  return value;
}

/** More than a few are no help in one line. */
const fewNames = 20;

const namesFor = (names: readonly string[]): string =>
  names.length > fewNames ? "see --help" : `there are ${names.map((name) => `-${name}`).join(", ")}`;
