/** Gathers the flags' values from the command line, the environment and the config file, as texts. */
import { readFileSync } from "node:fs";
import yargs from "yargs";
import { StartupError } from "../platform/startup-error.ts";
import { whyUnreadable } from "../platform/unreadable.ts";
import { environmentName, flag, flagNames, type FlagName } from "./flags.ts";
import { misspeltFlag, misspeltVariables } from "./misspelt.ts";

/** A flag's text and where it was given, so that a complaint can name the place. */
export interface Given {
  readonly text: string;
  readonly source: string;
  /** Nobody gave it. */
  readonly isDefault?: true;
}

export type Values = ReadonlyMap<FlagName, Given>;

export type CommandLine =
  | {
      readonly kind: "run";
      readonly values: Values;
      /** Lines for whoever starts the member; none of them keeps it from starting. */
      readonly warnings: readonly string[];
    }
  /** `--help` or `--version`: print the text and end well. */
  | { readonly kind: "print"; readonly text: string };

/** Reads everything there is. Throws a StartupError of kind `usage` that names what cannot be understood. */
export async function gatherValues(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  version: string,
): Promise<CommandLine> {
  checkSwitches(argv);
  const { given, output } = await parseArguments(argv, version);
  if (output !== "") return { kind: "print", text: output };
  const values = new Map<FlagName, Given>();
  const configFile = given.get("config") ?? fromEnvironment("config", environment);
  if (configFile !== undefined) readConfigFile(configFile, values);
  for (const name of flagNames) {
    const value = given.get(name) ?? fromEnvironment(name, environment);
    const fallback = flag(name).default;
    if (value !== undefined) values.set(name, value);
    else if (fallback !== undefined && !values.has(name))
      values.set(name, { text: fallback, source: `--${name}`, isDefault: true });
  }
  return { kind: "run", values, warnings: misspeltVariables(environment) };
}

/** Not as yargs has examples: in two columns it breaks the command lines, and nobody can copy them. */
const examples = `Examples:
  A cluster of one, clients on port 3000:
    dkv --name dkv-0 --initial-cluster=dkv-0=localhost:2380 --listen-peer-address=localhost:2380

  The first of three on one machine:
    dkv --name dkv-0 --data-dir=dkv-0 \\
      --initial-cluster=dkv-0=localhost:2380,dkv-1=localhost:2381,dkv-2=localhost:2382 \\
      --listen-peer-address=localhost:2380 --listen-client-address=localhost:3000

  A fourth, with an empty directory, after dkvctl member-join dkv-3 localhost:2383:
    dkv --name dkv-3 --data-dir=dkv-3 --initial-cluster-state=existing \\
      --initial-cluster=dkv-0=localhost:2380,dkv-1=localhost:2381 \\
      --listen-peer-address=localhost:2383 --listen-client-address=localhost:3003

  One in place of dkv-2, whose disk is gone, with an empty directory, after
  dkvctl member-replace dkv-2 dkv-2 localhost:2382:
    dkv --name dkv-2 --data-dir=dkv-2 --initial-cluster-state=existing \\
      --initial-cluster=dkv-0=localhost:2380,dkv-1=localhost:2381 \\
      --listen-peer-address=localhost:2382 --listen-client-address=localhost:3002

Each option may also stand in the environment (DKV_DATA_DIR for --data-dir), in .env.local, or in .env.`;

async function parseArguments(argv: readonly string[], version: string) {
  const parser = yargs([...argv])
    .scriptName("dkv")
    .usage(
      "$0 - a member of a distributed key-value store\n\nUsage: $0 --name NAME --initial-cluster NAME=HOST:PORT,... [options]\n" +
        "       $0 restore FILE --name NAME --initial-cluster NAME=HOST:PORT,... [options]\n" +
        "       $0 minikv|cache|kvstore ...   by the command lines of older systems; each has --help",
    )
    .version(version)
    .alias("version", "v")
    .alias("help", "h")
    .parserConfiguration({
      "camel-case-expansion": false,
      "duplicate-arguments-array": true,
      "boolean-negation": false,
    })
    .strict()
    .recommendCommands()
    .exitProcess(false)
    .wrap(110)
    .epilogue(examples)
    .fail((message, error) => {
      throw error ?? misunderstood(message, argv);
    });
  for (const name of flagNames) {
    const { describe, group, value, ...row } = flag(name);
    const type = row.switch === true ? "boolean" : "string";
    const hint = `${value === "" ? "" : `${value}  `}[$${environmentName(name)}]`;
    parser.option(name, { type, group, describe: `${describe}  ${hint}`, ...defaultText(row.default) });
  }
  let output = "";
  const parsed = await parser.parseAsync([...argv], {}, (_error, _argv, text) => {
    output = text;
  });
  return { given: collectGiven(parsed), output };
}

/** Whatever is not true would mean false to yargs. */
function checkSwitches(argv: readonly string[]): void {
  for (const word of argv) {
    const [, written, text = ""] = /^--([^=]+)=(.*)$/s.exec(word) ?? [];
    const name = flagNames.find((known) => known === written);
    if (name === undefined || flag(name).switch !== true || text === "true" || text === "false") continue;
    throw new StartupError("usage", `--${name} is "${text}"; write --${name}=true or --${name}=false`);
  }
}

/** One line for what yargs found wrong. */
function misunderstood(message: string, argv: readonly string[]): StartupError {
  const [, named = ""] = /^Unknown arguments?: (.*)/.exec(message) ?? [];
  const isFlag = (name: string): boolean =>
    argv.some((word) => word === `--${name}` || word.startsWith(`--${name}=`));
  const unknown = named.split(", ").find(isFlag);
  const meant = unknown === undefined ? undefined : misspeltFlag(unknown);
  if (unknown === undefined)
    return new StartupError("usage", `${message.split("\n").join("; ")}; see dkv --help`);
  const hint = meant === undefined ? "see dkv --help" : `did you mean --${meant}?`;
  return new StartupError("usage", `unknown flag --${unknown}: ${hint}`);
}

function defaultText(text: string | undefined) {
  return text === undefined ? {} : { defaultDescription: text };
}

function collectGiven(parsed: Readonly<Record<string, unknown>>): Map<FlagName, Given> {
  const given = new Map<FlagName, Given>();
  for (const name of flagNames) {
    const value = parsed[name];
    if (value !== undefined) given.set(name, { text: asText(name, value), source: `--${name}` });
  }
  return given;
}

function asText(name: FlagName, value: unknown): string {
  if (Array.isArray(value)) {
    if (flag(name).list !== true)
      throw new StartupError("usage", `--${name} is given ${String(value.length)} times; give it once`);
    return value.join(",");
  }
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return String(value);
  throw new StartupError("usage", `--${name} has no value; write --${name}=${flag(name).value}`);
}

function fromEnvironment(
  name: FlagName,
  environment: Readonly<Record<string, string | undefined>>,
): Given | undefined {
  const text = environment[environmentName(name)];
  return text === undefined ? undefined : { text, source: `$${environmentName(name)}` };
}

function readConfigFile({ text: path }: Given, values: Map<FlagName, Given>): void {
  for (const [key, value] of Object.entries(parseConfigFile(path))) {
    const name = flagNames.find((known) => known === key && known !== "config");
    if (name === undefined)
      throw new StartupError("usage", `${path}: "${key}" is not a flag of dkv; see dkv --help`);
    values.set(name, { text: asText(name, value), source: `${path}: "${key}"` });
  }
}

function parseConfigFile(path: string): object {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new StartupError("environment", `--config: ${path} ${whyUnreadable(error)}`, { cause: error });
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch (error) {
    // What Node says quotes the file, with its ends of lines.
    const reason = error instanceof Error ? error.message.replaceAll(/[\s\p{Cc}]+/gu, " ") : String(error);
    throw new StartupError("usage", `--config: ${path} is not JSON: ${reason}`, { cause: error });
  }
  throw new StartupError("usage", `--config: ${path} must hold one JSON object whose keys are flags`);
}
