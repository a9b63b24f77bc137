/** The command table as yargs wants it, and the help that it makes of that. */
import yargs, { type Argv } from "yargs";

import { type CommandEntry, commands, findCommand, type Operand } from "./command-table.ts";
import { globalFlags, variableOf } from "./settings.ts";
import { flagNames } from "./words.ts";

/** Is told the command, by all its words, and what yargs found. */
export type OnCommand = (
  entry: CommandEntry,
  name: string,
  values: Readonly<Record<string, unknown>>,
) => void;

export function createParser(words: readonly string[], onCommand: OnCommand): Argv {
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
  for (const entry of commands) addCommand(parser, entry, { path: entry.name, onCommand });
  return parser;
}

/** The text of `--help`, for all commands or for the one that these words name. */
export async function helpText(path: readonly string[]): Promise<string> {
  const [first] = path;
  const parser = createParser([], () => {})
    .help("help", "explain this")
    .alias("help", "h")
    .version("version", "print the version", "")
    .alias("version", "v")
    .epilogue("");
  const { promise, resolve } = Promise.withResolvers<string>();
  await parser.parseAsync([...path, "--help"], {}, (_error, _values, output) => {
    resolve(output);
  });
  const entry = findCommand(first);
  const last = entry?.subcommands?.find(({ name }) => name === path[1]) ?? entry;
  const examples =
    last?.examples ?? commands.map((each) => each.examples[0]).filter((each) => each !== undefined);
  const epilogue = last === undefined ? overview : last.epilogue;
  const parts = [
    (await promise).trimEnd(),
    examplesText(examples),
    ...(epilogue === undefined ? [] : [epilogue]),
  ];
  return `${parts.join("\n\n")}\n`;
}

/** A command that is longer stands on a line of its own: it is to be copied, so it is not broken. */
const commandWidth = 50;

function examplesText(examples: CommandEntry["examples"]): string {
  const lines = examples.map(([command, meaning]) =>
    command.length <= commandWidth
      ? `  ${command.padEnd(commandWidth)}  ${meaning}`
      : `  ${command}\n  ${" ".repeat(commandWidth)}  ${meaning}`,
  );
  return ["Examples:", ...lines].join("\n");
}

const overview = `Every member takes every command. Variables are also read from .env.local and .env.
Exit status: 0 done, 1 failed, 2 wrong usage, 4 key not found, 5 condition not met.`;

export const operandPattern = ({ name, isOptional, isRest }: Operand): string => {
  if (isRest === true) return `[${name}..]`;
  return isOptional === true ? `[${name}]` : `<${name}>`;
};

interface Place {
  readonly path: string;
  readonly onCommand: OnCommand;
}

function addCommand(parser: Argv, entry: CommandEntry, { path, onCommand }: Place): void {
  parser.command({
    command: [entry.name, ...entry.operands.map(operandPattern)].join(" "),
    describe: entry.describe,
    builder: (command) => {
      for (const second of entry.subcommands ?? [])
        addCommand(command, second, { path: `${path} ${second.name}`, onCommand });
      return addOperands(command, entry, path);
    },
    handler: (values) => {
      onCommand(entry, path, values);
    },
  });
}

function addOperands(parser: Argv, entry: CommandEntry, path: string): Argv {
  const { operands, switches, flags = {}, subcommands } = entry;
  const words = subcommands === undefined ? operands.map(operandPattern) : ["COMMAND"];
  parser.usage(["Usage: $0", path, ...words, "[flags]"].join(" "));
  for (const operand of operands)
    parser.positional(operand.name, {
      type: "string",
      describe: operand.describe,
      ...(operand.isRest === true && { array: true }),
    });
  for (const [flag, describe] of Object.entries(switches)) parser.option(flag, { type: "boolean", describe });
  for (const [flag, { value, describe }] of Object.entries(flags))
    parser.option(flag, { type: "string", requiresArg: true, describe: `${value}: ${describe}` });
  return parser;
}
