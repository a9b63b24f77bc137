/** The words of a command line, before yargs sees them. */
import { type CommandEntry, commandNames, findCommand, valueFlags } from "./command-table.ts";
import { globalFlags, type GlobalFlag } from "./settings.ts";

export const flagNames = Object.keys(globalFlags) as readonly GlobalFlag[];

/** Those before `--`: the rest is meant as it stands. */
export function beforeOperands(words: readonly string[]): readonly string[] {
  return words.slice(0, words.includes("--") ? words.indexOf("--") : words.length);
}

/** Where a command stands: words that are no flag, no flag's value, and no request for help. */
export function plainWords(words: readonly string[]): readonly string[] {
  return words.filter(
    (word, position) => !/^(?:-.*|help)?$/s.test(word) && !takesNextWord(words[position - 1] ?? ""),
  );
}

/** How many words are no flag and no flag's value: those of the command, and keys and values. */
export function wordsBesideFlags(words: readonly string[]): number {
  const before = beforeOperands(words);
  const [flags, behind] = [/^-[^\d]/s, Math.max(0, words.length - before.length - 1)];
  return (
    behind + before.filter((word, at) => !flags.test(word) && !takesNextWord(before[at - 1] ?? "")).length
  );
}

const takesNextWord = (word: string): boolean =>
  word === "-o" || [...flagNames, ...valueFlags].some((flag) => word === `--${flag}`);

/** A command that some words name. */
export interface Located {
  /** Of the first word. */
  readonly entry: CommandEntry;
  /** What its second word names, if it has one. */
  readonly second: CommandEntry | undefined;
  /** The word after the first. */
  readonly secondWord: string | undefined;
}

/** The first word that names a command. Good enough for complaints: a flag's value may be taken for one. */
export function locate(words: readonly string[]): Located | undefined {
  const plain = plainWords(words);
  const position = plain.findIndex((word) => commandNames.includes(word));
  const entry =
    findCommand(plain[position]) ?? findCommand(words.find((word) => commandNames.includes(word)));
  if (entry === undefined) return undefined;
  const secondWord = position < 0 ? undefined : plain[position + 1];
  return { entry, second: entry.subcommands?.find(({ name }) => name === secondWord), secondWord };
}

/** What is said to be done, with all its words. */
export function nameOf({ entry, second }: Located): string {
  return second === undefined ? entry.name : `${entry.name} ${second.name}`;
}

/** The entry that says which words and flags there may be. */
export const deepest = ({ entry, second }: Located): CommandEntry => second ?? entry;
