/** One line for what is wrong with a command line. */
import { type CommandEntry, commandHintedAt, commandNames, commands, namesIn } from "./command-table.ts";
import { type Exit, usageError } from "./exit.ts";
import { operandPattern } from "./parser.ts";
import { globalFlags } from "./settings.ts";
import { nearest } from "./suggestion.ts";
import { beforeOperands, deepest, flagNames, type Located, locate, nameOf, plainWords } from "./words.ts";

/** One line of ours for what yargs found wrong. */
export function explainMistake(message: string, words: readonly string[]): Exit {
  const located = locate(words);
  const [, subject = ""] = /: (.*)$/s.exec(message) ?? [];
  if (message.startsWith("Unknown command")) return unknownCommand(subject, words);
  if (message.startsWith("Unknown argument"))
    return unknownWord(subject.split(", ", 1).join(""), words, located);
  if (message.startsWith("Not enough arguments following"))
    return needsValue(subject === "o" ? "output" : subject, located);
  if (message.startsWith("Not enough non-option arguments")) return tooFewWords(words, located);
  return usageError(`${message.split("\n", 1).join("")}; see dkvctl --help`);
}

/** Other systems have commands of two words, `member add`, where these have one. */
export function unknownCommand(word: string, words: readonly string[]): Exit {
  if (word === "restore") return restoreHint(word);
  const two = `${word}-${words[words.indexOf(word) + 1] ?? ""}`;
  const meant = commandHintedAt(two) ?? commandHintedAt(nearest(word, namesIn(commands)));
  const hint = meant === undefined ? `there are ${commandNames.join(", ")}` : `did you mean ${meant}?`;
  return usageError(`unknown command "${word}": ${hint}`);
}

/** It makes the data of members that do not run yet, so no member can be asked for it. */
function restoreHint(word: string): Exit {
  return usageError(
    `unknown command "${word}": dkv restore FILE does that, on each machine of the new cluster`,
  );
}

/** The second word is missing, or is none that there is. */
export function wrongSecondWord({ entry, secondWord }: Located): Exit {
  const known = (entry.subcommands ?? []).map(({ name }) => name);
  if (secondWord === undefined)
    return usageError(`too few words: write dkvctl ${entry.name} ${known.join("|")}`);
  if (secondWord === "restore") return restoreHint(`${entry.name} restore`);
  const meant = commandHintedAt(nearest(secondWord, namesIn(entry.subcommands ?? [])), entry.subcommands);
  const hint =
    meant === undefined
      ? `write dkvctl ${entry.name} ${known.join("|")}`
      : `did you mean ${entry.name} ${meant}?`;
  return usageError(`dkvctl ${entry.name} knows no "${secondWord}": ${hint}`);
}

/** yargs would quietly take `--serializable=yes` for no. */
export function checkSwitches(words: readonly string[], command: CommandEntry | undefined): void {
  for (const name of Object.keys(command?.switches ?? {})) {
    const given = words.find((word) => word.startsWith(`--${name}=`) && !/=(?:true|false)$/.test(word));
    if (given !== undefined)
      throw usageError(`--${name} takes no value: leave out "${given.slice(name.length + 2)}"`);
  }
}

function needsValue(name: string, located: Located | undefined): Exit {
  const flag = flagNames.find((known) => known === name);
  const own = located === undefined ? undefined : deepest(located).flags?.[name];
  const what = flag === undefined ? (own?.describe ?? "see dkvctl --help") : globalFlags[flag];
  return usageError(`--${name} needs a value: ${what}`);
}

const usageOf = (located: Located): string =>
  ["dkvctl", nameOf(located), ...deepest(located).operands.map(operandPattern)].join(" ");

function knownFlags(located: Located | undefined): readonly string[] {
  const { switches = {}, flags = {} } = located === undefined ? {} : deepest(located);
  return [...flagNames, "o", ...Object.keys(switches), ...Object.keys(flags), "help", "version"];
}

/** The name in a word such as `--name=value`; undefined if it is no flag. */
const flagNameOf = (word: string): string | undefined =>
  /^--?(?<name>[^-=][^=]*)/.exec(word)?.groups?.["name"];

function unknownWord(word: string, words: readonly string[], located: Located | undefined): Exit {
  if (words.some((candidate) => flagNameOf(candidate) === word)) return unknownFlag(word, located);
  const [first] = plainWords(beforeOperands(words));
  if (first !== undefined && !commandNames.includes(first)) return unknownCommand(first, words);
  if (located === undefined) return unknownCommand(word, words);
  return usageError(
    `one word too many, "${word}": write ${usageOf(located)}, with quotes around text that has spaces`,
  );
}

function unknownFlag(name: string, located: Located | undefined): Exit {
  const known = knownFlags(located).filter((each) => each.length > 1);
  const meant = name.length === 1 ? undefined : nearest(name, known);
  const hint = meant === undefined ? noFlagHint(located) : `did you mean --${meant}?`;
  return usageError(`unknown flag ${name.length === 1 ? "-" : "--"}${name}: ${hint}`);
}

function noFlagHint(located: Located | undefined): string {
  const command = located === undefined ? "" : `${nameOf(located)} `;
  return `if it is meant to be no flag, write -- before it; else see dkvctl ${command}--help`;
}

/** A flag that asks for something of its own, where other words ask for something else. */
export const unexpectedFlag = (flag: string, located: Located | undefined): Exit =>
  usageError(`unexpected ${flag}: ${noFlagHint(located)}`);

function tooFewWords(words: readonly string[], located: Located | undefined): Exit {
  const stray = words
    .map(flagNameOf)
    .find((name) => name !== undefined && !knownFlags(located).includes(name));
  if (stray !== undefined) return unknownFlag(stray, located);
  return usageError(`too few words: write ${located === undefined ? "dkvctl --help" : usageOf(located)}`);
}
