/** From the words of the command line to what is to be done. */
import { type CommandEntry, type CommandName, commandNames, isCommandName } from "./command-table.ts";
import { GuardedWords } from "./guarded-words.ts";
import {
  checkSwitches,
  explainMistake,
  unexpectedFlag,
  unknownCommand,
  wrongSecondWord,
} from "./mistakes.ts";
import { createParser } from "./parser.ts";
import type { FlagValues } from "./settings.ts";
import {
  beforeOperands,
  deepest,
  flagNames,
  type Located,
  locate,
  plainWords,
  wordsBesideFlags,
} from "./words.ts";

/** What the command line asks for. */
export type Request =
  /** With the words of the command, if it is about one. */
  | { readonly kind: "help"; readonly path: readonly string[] }
  | { readonly kind: "version" }
  | { readonly kind: "nothing" }
  | CommandRequest;

export interface CommandRequest {
  readonly kind: "command";
  readonly name: CommandName;
  readonly operands: Readonly<Record<string, string | undefined>>;
  /** The words of the operand that takes all that are left. */
  readonly rest: readonly string[];
  readonly switches: ReadonlySet<string>;
  /** Of the flags that only this command has. */
  readonly values: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Of those that all commands have. */
  readonly flags: FlagValues;
}

/** @throws Exit with one line about the first thing that is wrong */
export function parseCommandLine(words: readonly string[]): Request {
  const before = beforeOperands(words);
  if (before[0] === "help") return helpWith(before).request;
  const help = before.find((word) => word === "--help" || word === "-h");
  if (help !== undefined) return helpAskedBy(help, words);
  const version = before.find((word) => word === "--version" || word === "-v");
  if (version !== undefined) return versionAskedBy(version, words);
  const located = locate(before);
  const isFirst = located !== undefined && plainWords(before)[0] === located.entry.name;
  if (isFirst && located.entry.subcommands !== undefined && located.second === undefined)
    throw wrongSecondWord(located);
  checkSwitches(before, located === undefined ? undefined : deepest(located));
  return parseRequest(words);
}

/** Beside a key or a value it may be one itself: a script would take an explanation for what it asked for. */
function helpAskedBy(flag: string, words: readonly string[]): Request {
  const { request, located } = helpWith(beforeOperands(words));
  if (wordsBesideFlags(words) > request.path.length) throw unexpectedFlag(flag, located);
  return request;
}

function versionAskedBy(flag: string, words: readonly string[]): Request {
  if (wordsBesideFlags(words) === 0) return { kind: "version" };
  // Complains of a command that there is not.
  throw unexpectedFlag(flag, helpWith(beforeOperands(words)).located);
}

interface Help {
  readonly request: Extract<Request, { kind: "help" }>;
  readonly located: Located | undefined;
}

/** Help with the command that is named, if one is. @throws Exit if there is no such command */
function helpWith(words: readonly string[]): Help {
  const [word] = plainWords(words);
  if (word === undefined) return { request: { kind: "help", path: [] }, located: undefined };
  const located = locate(words);
  if (!commandNames.includes(word) || located === undefined) throw unknownCommand(word, words);
  const { entry, second, secondWord } = located;
  if (entry.subcommands !== undefined && secondWord !== undefined && second === undefined)
    throw wrongSecondWord(located);
  const path = second === undefined ? [entry.name] : [entry.name, second.name];
  return { request: { kind: "help", path }, located };
}

function parseRequest(words: readonly string[]): Request {
  const guarded = new GuardedWords(words);
  let request: Request = { kind: "nothing" };
  const parser = createParser(guarded.words, (entry, name, values) => {
    if (isCommandName(name)) request = requestOf(entry, name, { guarded, values });
  });
  parser
    .help(false)
    .version(false)
    .fail((message: string, error: Error | undefined) => {
      throw error === undefined || error.name === "YError"
        ? explainMistake(guarded.restore(message), words)
        : error;
    })
    .parseSync();
  return request;
}

interface Parsed {
  readonly guarded: GuardedWords;
  readonly values: Readonly<Record<string, unknown>>;
}

function requestOf(entry: CommandEntry, name: CommandName, { guarded, values }: Parsed): CommandRequest {
  const { operands, switches, flags = {} } = entry;
  const rest = operands.find(({ isRest }) => isRest === true);
  const others = operands.filter((operand) => operand !== rest);
  const restored = rest === undefined ? undefined : guarded.restoreAny(values[rest.name]);
  return {
    kind: "command",
    name,
    operands: Object.fromEntries(others.map((each) => [each.name, guarded.restoreOne(values[each.name])])),
    rest: restored === undefined ? [] : [restored].flat(),
    switches: new Set(Object.keys(switches).filter((each) => values[each] === true)),
    values: Object.fromEntries(Object.keys(flags).map((each) => [each, guarded.restoreAny(values[each])])),
    flags: Object.fromEntries(flagNames.map((flag) => [flag, guarded.restoreAny(values[flag])])),
  };
}
