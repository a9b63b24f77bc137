/** The commands and what each takes: one table for parsing, help and completion. */

export interface CommandEntry {
  readonly name: string;
  readonly describe: string;
  readonly operands: readonly Operand[];
  /** Flags without a value that only this command has. */
  readonly switches: Readonly<Record<string, string>>;
  readonly examples: readonly (readonly [command: string, meaning: string])[];
}

export interface Operand {
  readonly name: string;
  readonly describe: string;
  readonly isOptional?: boolean;
  readonly choices?: readonly string[];
}

/** In capitals, so that it is not the same as the flag --key. */
const key = { name: "KEY", describe: "any text but the empty one" };

export const commands = [
  {
    name: "get",
    describe: "Print the value of a key",
    operands: [key],
    switches: { serializable: "answer from the member asked, even if it is behind" },
    examples: [
      ["dkvctl get greeting", "print the value"],
      ["dkvctl get picture -o value > cat.png", "its bytes alone, without a line feed after them"],
      ["dkvctl get greeting -o json", "with revisions, and base64 for binary values"],
      ["dkvctl get -- --odd-key", "a key that starts with a dash"],
    ],
  },
  {
    name: "set",
    describe: "Set the value of a key",
    operands: [
      key,
      { name: "VALUE", describe: "any text, also the empty one; - reads it from standard input" },
    ],
    switches: {},
    examples: [
      ["dkvctl set greeting hello", "set a text"],
      ['dkvctl set greeting ""', "set an empty value"],
      ["dkvctl set picture - < cat.png", "set any bytes"],
    ],
  },
  {
    name: "delete",
    describe: "Delete a key; no error if it is not there",
    operands: [key],
    switches: {},
    examples: [["dkvctl delete greeting", "delete it"]],
  },
  {
    name: "member-list",
    describe: "List the members of the cluster",
    operands: [],
    switches: {},
    examples: [
      ["dkvctl member-list", "as a table"],
      ["dkvctl member-list -o json", "for programs"],
    ],
  },
  {
    name: "completion",
    describe: "Print a script that completes dkvctl in a shell",
    operands: [
      {
        name: "SHELL",
        describe: "which shell; that of $SHELL unless given",
        isOptional: true,
        choices: ["bash", "zsh"],
      },
    ],
    switches: {},
    examples: [
      ['eval "$(dkvctl completion bash)"', "in ~/.bashrc"],
      ['eval "$(dkvctl completion zsh)"', "in ~/.zshrc"],
    ],
  },
] as const satisfies readonly CommandEntry[];

export type CommandName = (typeof commands)[number]["name"];

export const commandNames: readonly string[] = commands.map(({ name }) => name);

export function findCommand(name: string | undefined): CommandEntry | undefined {
  return commands.find((entry) => entry.name === name);
}
