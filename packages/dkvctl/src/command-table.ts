/** The commands and what each takes: one table for parsing, help and completion. */

export interface CommandEntry {
  readonly name: string;
  readonly describe: string;
  readonly operands: readonly Operand[];
  /** Flags without a value that only this command has. */
  readonly switches: Readonly<Record<string, string>>;
  /** What a person may write who knows other systems: answered with a hint, not understood. */
  readonly hintedAt: readonly string[];
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
const address = { name: "ADDRESS", describe: "where its peers reach it, as host:port" };

export const commands = [
  {
    name: "get",
    describe: "Print the value of a key",
    operands: [key],
    switches: { serializable: "answer from the member asked, even if it is behind" },
    hintedAt: ["read", "cat"],
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
    hintedAt: ["put", "write"],
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
    hintedAt: ["del", "rm", "remove"],
    examples: [["dkvctl delete greeting", "delete it"]],
  },
  {
    name: "member-list",
    describe: "List the members of the cluster",
    operands: [],
    switches: {},
    hintedAt: ["members", "member", "list", "servers", "nodes", "status"],
    examples: [
      ["dkvctl member-list", "as a table"],
      ["dkvctl member-list -o json", "for programs"],
    ],
  },
  {
    name: "member-join",
    describe: "Add a member to the cluster; start it afterwards",
    operands: [{ name: "ID", describe: "name of the new member" }, address],
    switches: {},
    hintedAt: ["join", "add", "member-add"],
    examples: [["dkvctl member-join dkv-3 localhost:2383", "add dkv-3, whose peers reach it at port 2383"]],
  },
  {
    name: "member-leave",
    describe: "Remove a member for good; no error if it is not there",
    operands: [{ name: "ID", describe: "name of the member" }],
    switches: {},
    hintedAt: ["leave", "member-remove", "member-delete"],
    examples: [["dkvctl member-leave dkv-3", "remove it; its process stops by itself"]],
  },
  {
    name: "member-promote",
    describe: "Make a learner a voter, once it has caught up",
    operands: [{ name: "ID", describe: "name of the learner" }],
    switches: {},
    hintedAt: ["promote"],
    examples: [["dkvctl member-promote dkv-3 --timeout=1m", "wait for it for a minute"]],
  },
  {
    name: "member-replace",
    describe: "Put a new member in place of a lost one; start it afterwards",
    operands: [
      { name: "OLD", describe: "name of the member that leaves" },
      { name: "NEW", describe: "name of the member that comes" },
      address,
    ],
    switches: {},
    hintedAt: ["replace"],
    examples: [["dkvctl member-replace dkv-1 dkv-4 localhost:2384", "dkv-4 takes the place of dkv-1"]],
  },
  {
    name: "member-update",
    describe: "Change the address of a member that has moved",
    operands: [{ name: "ID", describe: "name of the member" }, address],
    switches: {},
    hintedAt: ["member-move"],
    examples: [["dkvctl member-update dkv-1 localhost:2390", "its peers reach it at port 2390 from now on"]],
  },
  {
    name: "move-leader",
    describe: "Hand leadership to a voter",
    operands: [{ name: "ID", describe: "name of the voter" }],
    switches: {},
    hintedAt: ["transfer-leader", "leader-transfer", "leader-move", "step-down"],
    examples: [["dkvctl move-leader dkv-1", "before the leader's machine is stopped"]],
  },
  {
    name: "check",
    describe: "Compare what the members have stored; fails if they differ, or a voter gives no answer",
    operands: [],
    switches: {},
    hintedAt: ["verify", "compare"],
    examples: [
      ["dkvctl check", "a member that differs is put out of service: replace it"],
      ["dkvctl check --timeout=10m", "wait for members that have much to read"],
      ["dkvctl check -o json", "for programs"],
    ],
  },
  {
    name: "snapshot",
    describe: "Save a backup of the cluster to a file, or look at one",
    operands: [
      {
        name: "ACTION",
        describe: "save, or status, which checks a file and needs no cluster",
        choices: ["save", "status"],
      },
      { name: "FILE", describe: "the file; dkv restore makes a new cluster of it" },
    ],
    switches: {
      force: "replace the file if it is there",
      serializable: "save what the member asked has, even if it is behind; needs no quorum",
    },
    hintedAt: ["backup", "save"],
    examples: [
      ["dkvctl snapshot save backup.dkv", "of everything acknowledged so far"],
      ["dkvctl snapshot status backup.dkv", "is it whole, and what is in it"],
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
    hintedAt: ["complete"],
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

const namesOf = ({ name, hintedAt }: CommandEntry): readonly string[] => [name, ...hintedAt];

/** What commands are called here and elsewhere. */
export const allNames: readonly string[] = commands.flatMap(namesOf);

/** The command that goes by this name here, or elsewhere. */
export function commandHintedAt(name: string | undefined): string | undefined {
  return commands.find((entry) => name !== undefined && namesOf(entry).includes(name))?.name;
}
