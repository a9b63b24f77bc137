/**
 * Completion scripts for shells. They are plain text: no process is started for each press of the tab key.
 */
import { type CommandEntry, commandNames, commands, valueFlags as ownValueFlags } from "./command-table.ts";
import { globalFlags, outputs } from "./settings.ts";

export type Shell = "bash" | "zsh";

/** The shell that a path such as $SHELL names, if it is one that can be served. */
export function shellOf(path: string | undefined): Shell | undefined {
  const name = path?.split("/").at(-1);
  return name === "bash" || name === "zsh" ? name : undefined;
}

export function completionScript(shell: Shell): string {
  return shell === "bash" ? bashScript() : zshScript();
}

const valueFlags = Object.keys(globalFlags).map((flag) => `--${flag}`);
const plainFlags = ["--help", "--version"];
const fileFlags = ["--cert", "--key", "--cacert"];

/** Flags whose value nothing is known of. */
const freeFlags = ["endpoint", "user", "timeout", ...ownValueFlags].map((flag) => `--${flag}`);

function ownFlagsOf({ switches, flags = {} }: CommandEntry): readonly string[] {
  return [...Object.keys(switches), ...Object.keys(flags)].map((name) => `--${name}`);
}

/** What words may stand after the command. */
function choicesOf({ operands, subcommands = [] }: CommandEntry): readonly string[] {
  return [...subcommands.map(({ name }) => name), ...operands.flatMap(({ choices = [] }) => choices)];
}

/** The command itself, and with each of its second words. */
function pathsOf(entry: CommandEntry): readonly (readonly [path: string, entry: CommandEntry])[] {
  const seconds = (entry.subcommands ?? []).map(
    (second) => [`${entry.name} ${second.name}`, second] as const,
  );
  return [[entry.name, entry], ...seconds];
}

function bashScript(): string {
  const cases = commands
    .flatMap(pathsOf)
    .map(
      ([path, entry]) => `    "${path}") words="${[...choicesOf(entry), ...ownFlagsOf(entry)].join(" ")}" ;;`,
    );
  return `# bash completion for dkvctl
_dkvctl() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command="" words="" index
  COMPREPLY=()
  case "$previous" in
    ${fileFlags.join("|")}) COMPREPLY=($(compgen -f -- "$current")); return ;;
    --output|-o) COMPREPLY=($(compgen -W "${outputs.join(" ")}" -- "$current")); return ;;
    ${freeFlags.join("|")}) return ;;
  esac
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "$command \${COMP_WORDS[index]}" in
      ${commandNames.map((name) => `" ${name}"`).join("|")}) command="\${COMP_WORDS[index]}" ;;
      ${secondPatterns()}) command="$command \${COMP_WORDS[index]}"; break ;;
    esac
  done
  case "$command" in
    "") words="${commandNames.join(" ")}" ;;
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words ${[...valueFlags, ...plainFlags].join(" ")}" -- "$current"))
}
complete -F _dkvctl dkvctl
`;
}

const secondPatterns = (): string =>
  commands
    .flatMap(pathsOf)
    .filter(([path]) => path.includes(" "))
    .map(([path]) => `"${path}"`)
    .join("|");

function zshScript(): string {
  const described = commands.map(({ name, describe }) => `    ${zshQuote(`${name}:${describe}`)}`);
  const flags = Object.entries(globalFlags).map(
    ([flag, describe]) => `    ${zshQuote(`*--${flag}=[${describe}]:${flag}:${zshValues(flag)}`)}`,
  );
  const cases = commands.map((entry) => {
    const own = pathsOf(entry).flatMap(([, each]) => zshFlags(each));
    const choices = choicesOf(entry);
    const operands = choices.length === 0 ? [] : [zshQuote(`1:choice:(${choices.join(" ")})`)];
    // Keys and values cannot be completed, but flags may come after them.
    const others = zshQuote("*: :");
    return `    ${entry.name}) _arguments $flags ${[...new Set(own), ...operands, others].join(" ")} ;;`;
  });
  return `#compdef dkvctl
# zsh completion for dkvctl
_dkvctl() {
  local -a commands flags
  local state line
  typeset -A opt_args
  commands=(
${described.join("\n")}
  )
  flags=(
${flags.join("\n")}
    ${zshQuote(`-o[form of what is printed]:output:(${outputs.join(" ")})`)}
    '--help[explain]'
    '--version[print the version]'
  )
  _arguments -C $flags '1:command:->command' '*::argument:->argument'
  case "$state" in
    command) _describe command commands ;;
    argument)
      case "$line[1]" in
${cases.map((line) => `    ${line}`).join("\n")}
      esac ;;
  esac
}
if [[ "\${funcstack[1]}" == _dkvctl ]]; then
  _dkvctl "$@"
else
  compdef _dkvctl dkvctl
fi
`;
}

function zshFlags({ switches, flags = {} }: CommandEntry): readonly string[] {
  return [
    ...Object.entries(switches).map(([name, describe]) => zshQuote(`--${name}[${describe}]`)),
    ...Object.entries(flags).map(([name, { value, describe }]) =>
      zshQuote(`--${name}=[${describe}]:${value}:`),
    ),
  ];
}

function zshValues(flag: string): string {
  if (flag === "output") return `(${outputs.join(" ")})`;
  return fileFlags.includes(`--${flag}`) ? "_files" : "";
}

const zshQuote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
