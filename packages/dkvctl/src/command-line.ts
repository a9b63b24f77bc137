/** From the words of the command line to what is to be done. */
import yargs, { type Argv } from "yargs";

import {
  allNames,
  type CommandEntry,
  commandHintedAt,
  type CommandName,
  commandNames,
  commands,
  findCommand,
  type Operand,
} from "./command-table.ts";
import { type Exit, usageError } from "./exit.ts";
import { type FlagValues, globalFlags, type GlobalFlag, variableOf } from "./settings.ts";
import { nearest } from "./suggestion.ts";

/** What the command line asks for. */
export type Request =
  | { readonly kind: "help"; readonly command: string | undefined }
  | { readonly kind: "version" }
  | { readonly kind: "nothing" }
  | {
      readonly kind: "command";
      readonly name: CommandName;
      readonly operands: Readonly<Record<string, string | undefined>>;
      readonly switches: ReadonlySet<string>;
      readonly flags: FlagValues;
    };

/** @throws Exit with one line about the first thing that is wrong */
export function parseCommandLine(words: readonly string[]): Request {
  const beforeOperands = words.slice(0, words.includes("--") ? words.indexOf("--") : words.length);
  const command = firstCommand(beforeOperands);
  const asksForHelp = beforeOperands.some((word) => word === "--help" || word === "-h");
  if (asksForHelp) return helpWith(beforeOperands);
  if (beforeOperands.some((word) => word === "--version" || word === "-v")) return { kind: "version" };
  if (beforeOperands[0] === "help") return helpWith(beforeOperands);
  checkSwitches(beforeOperands, findCommand(command));
  return parseRequest(words);
}

/** yargs would quietly take `--serializable=yes` for no. */
function checkSwitches(words: readonly string[], command: CommandEntry | undefined): void {
  for (const name of Object.keys(command?.switches ?? {})) {
    const given = words.find((word) => word.startsWith(`--${name}=`) && !/=(?:true|false)$/.test(word));
    if (given !== undefined)
      throw usageError(`--${name} takes no value: leave out "${given.slice(name.length + 2)}"`);
  }
}

/** The text of `--help`, for all commands or for one. */
export async function helpText(command: string | undefined): Promise<string> {
  const entry = findCommand(command);
  const parser = configure([], () => {})
    .help("help", "explain this")
    .alias("help", "h")
    .version("version", "print the version", "")
    .alias("version", "v")
    .epilogue(entry === undefined ? overview : "");
  if (entry === undefined)
    addExamples(
      parser,
      commands.map(({ examples }) => examples[0]),
    );
  const { promise, resolve } = Promise.withResolvers<string>();
  await parser.parseAsync(
    entry === undefined ? ["--help"] : [entry.name, "--help"],
    {},
    (_error, _values, output) => {
      resolve(output);
    },
  );
  return `${await promise}\n`;
}

const overview = `Every member takes every command. Variables are also read from .env.local and .env.
Exit status: 0 done, 1 failed, 2 wrong usage, 4 key not found.`;

/** Help with the command that is named, if one is. @throws Exit if there is no such command */
function helpWith(words: readonly string[]): Request {
  const word = firstPlainWord(words);
  if (word !== undefined && !commandNames.includes(word)) throw unknownCommand(word, words);
  return { kind: "help", command: word };
}

/** Where the command stands: the first word that is no flag, no flag's value, and no request for help. */
function firstPlainWord(words: readonly string[]): string | undefined {
  return words.find(
    (word, position) => !/^(?:-.*|help)?$/s.test(word) && !takesNextWord(words[position - 1] ?? ""),
  );
}

const takesNextWord = (word: string): boolean =>
  word === "-o" || flagNames.some((flag) => word === `--${flag}`);

/** The first word that names a command. Good enough for complaints: a flag's value may be taken for one. */
function firstCommand(words: readonly string[]): string | undefined {
  return words.find((word) => commandNames.includes(word));
}

function parseRequest(words: readonly string[]): Request {
  const guarded = new GuardedWords(words);
  let request: Request = { kind: "nothing" };
  const parser = configure(guarded.words, (entry, values) => {
    request = {
      kind: "command",
      name: entry.name,
      operands: Object.fromEntries(
        entry.operands.map(({ name }) => [name, guarded.restoreOne(values[name])]),
      ),
      switches: new Set(Object.keys(entry.switches).filter((name) => values[name] === true)),
      flags: Object.fromEntries(flagNames.map((flag) => [flag, guarded.restoreAny(values[flag])])),
    };
  });
  parser
    .help(false)
    .version(false)
    .fail((message: string, error: Error | undefined) => {
      throw error === undefined || error.name === "YError" ? explain(guarded.restore(message), words) : error;
    })
    .parseSync();
  return request;
}

const flagNames = Object.keys(globalFlags) as readonly GlobalFlag[];

type OnCommand = (entry: (typeof commands)[number], values: Readonly<Record<string, unknown>>) => void;

function configure(words: readonly string[], onCommand: OnCommand): Argv {
  const parser = yargs([...words])
    .scriptName("dkvctl")
    .usage("Usage: $0 COMMAND [flags]")
    .locale("en")
    .parserConfiguration({
      "boolean-negation": false,
      "camel-case-expansion": false,
      "dot-notation": false,
      "parse-numbers": false,
      "parse-positional-numbers": false,
    })
    .strict()
    .exitProcess(false)
    .showHelpOnFail(false)
    .wrap(100);
  for (const flag of flagNames) {
    parser.option(flag, {
      type: "string",
      requiresArg: true,
      describe: `${globalFlags[flag]} [$${variableOf(flag)}]`,
    });
  }
  parser.alias("output", "o");
  for (const entry of commands) {
    parser.command({
      command: [entry.name, ...entry.operands.map(operandPattern)].join(" "),
      describe: entry.describe,
      builder: (command) => addOperands(command, entry),
      handler: (values) => {
        onCommand(entry, values);
      },
    });
  }
  return parser;
}

const operandPattern = ({ name, isOptional }: Operand): string =>
  isOptional === true ? `[${name}]` : `<${name}>`;

function addOperands(parser: Argv, { name, operands, switches, examples }: CommandEntry): Argv {
  parser.usage(["Usage: $0", name, ...operands.map(operandPattern), "[flags]"].join(" "));
  for (const operand of operands)
    parser.positional(operand.name, { type: "string", describe: operand.describe });
  for (const [flag, describe] of Object.entries(switches)) parser.option(flag, { type: "boolean", describe });
  return addExamples(parser, examples);
}

function addExamples(parser: Argv, examples: CommandEntry["examples"]): Argv {
  for (const [example, meaning] of examples) parser.example(example, meaning);
  return parser;
}

/** One line of ours for what yargs found wrong. */
function explain(message: string, words: readonly string[]): Exit {
  const command = findCommand(firstCommand(words));
  const [, subject = ""] = /: (.*)$/s.exec(message) ?? [];
  if (message.startsWith("Unknown command")) return unknownCommand(subject, words);
  if (message.startsWith("Unknown argument"))
    return unknownWord(subject.split(", ", 1).join(""), words, command);
  if (message.startsWith("Not enough arguments following"))
    return needsValue(subject === "o" ? "output" : subject);
  if (message.startsWith("Not enough non-option arguments")) return tooFewWords(words, command);
  return usageError(`${message.split("\n", 1).join("")}; see dkvctl --help`);
}

function needsValue(name: string): Exit {
  const flag = flagNames.find((known) => known === name);
  const what = flag === undefined ? "see dkvctl --help" : globalFlags[flag];
  return usageError(`--${name} needs a value: ${what}`);
}

const usageOf = ({ name, operands }: CommandEntry): string =>
  ["dkvctl", name, ...operands.map(operandPattern)].join(" ");

function knownFlags(command: CommandEntry | undefined): readonly string[] {
  return [...flagNames, "o", ...Object.keys(command?.switches ?? {}), "help", "version"];
}

/** The name in a word such as `--name=value`; undefined if it is no flag. */
const flagNameOf = (word: string): string | undefined =>
  /^--?(?<name>[^-=][^=]*)/.exec(word)?.groups?.["name"];

/** Other systems have commands of two words, `member add`, where these have one. */
function unknownCommand(word: string, words: readonly string[]): Exit {
  const two = `${word}-${words[words.indexOf(word) + 1] ?? ""}`;
  const meant = commandHintedAt(two) ?? commandHintedAt(nearest(word, allNames));
  const hint = meant === undefined ? `there are ${commandNames.join(", ")}` : `did you mean ${meant}?`;
  return usageError(`unknown command "${word}": ${hint}`);
}

function unknownWord(word: string, words: readonly string[], command: CommandEntry | undefined): Exit {
  if (words.some((candidate) => flagNameOf(candidate) === word)) return unknownFlag(word, command);
  if (command === undefined) return unknownCommand(word, words);
  return usageError(
    `one word too many, "${word}": write ${usageOf(command)}, with quotes around text that has spaces`,
  );
}

function unknownFlag(name: string, command: CommandEntry | undefined): Exit {
  const meant =
    name.length === 1
      ? undefined
      : nearest(
          name,
          knownFlags(command).filter((known) => known.length > 1),
        );
  const hint =
    meant === undefined
      ? `if it is meant to be no flag, write -- before it; else see dkvctl ${command === undefined ? "" : `${command.name} `}--help`
      : `did you mean --${meant}?`;
  return usageError(`unknown flag ${name.length === 1 ? "-" : "--"}${name}: ${hint}`);
}

function tooFewWords(words: readonly string[], command: CommandEntry | undefined): Exit {
  const stray = words
    .map(flagNameOf)
    .find((name) => name !== undefined && !knownFlags(command).includes(name));
  if (stray !== undefined) return unknownFlag(stray, command);
  return usageError(`too few words: write ${command === undefined ? "dkvctl --help" : usageOf(command)}`);
}

/**
 * Words that yargs would take for something else, hidden from it: keys and values that look like flags
 * (everything after `--`), `-`, the empty word, negative numbers. It sees a stand-in for each.
 */
class GuardedWords {
  readonly words: readonly string[];
  readonly #hidden = new Map<string, string>();

  constructor(words: readonly string[]) {
    const end = words.includes("--") ? words.indexOf("--") : words.length;
    this.words = [
      ...words.slice(0, end).map((word) => (/^(?:-?|-\d.*)$/s.test(word) ? this.#hide(word) : word)),
      ...words.slice(end + 1).map((word) => this.#hide(word)),
    ];
  }

  restore(text: string): string {
    return text.replaceAll(/\0\d+\0/g, (standIn) => this.#hidden.get(standIn) ?? standIn);
  }

  restoreOne(value: unknown): string | undefined {
    return typeof value === "string" ? this.restore(value) : undefined;
  }

  restoreAny(value: unknown): string | readonly string[] | undefined {
    return Array.isArray(value) ? value.map((each) => this.restore(String(each))) : this.restoreOne(value);
  }

  /** No argument of a process can have a zero byte in it, so a stand-in is never mistaken for a word. */
  #hide(word: string): string {
    const standIn = `\0${this.#hidden.size}\0`;
    this.#hidden.set(standIn, word);
    return standIn;
  }
}
