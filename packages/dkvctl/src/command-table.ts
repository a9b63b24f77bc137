/** The commands and what each takes: one table for parsing, help and completion. */
import { authCommands } from "./table/auth-commands.ts";
import { clusterCommands } from "./table/cluster-commands.ts";
import type { CommandEntry } from "./table/entry.ts";
import { keyCommands } from "./table/key-commands.ts";
import { leaseCommands } from "./table/lease-commands.ts";

export type { CommandEntry, FlagEntry, Operand } from "./table/entry.ts";

const table = [...keyCommands, ...leaseCommands, ...authCommands, ...clusterCommands] as const;

type Entry = (typeof table)[number];
type NameOf<One extends Entry> = One extends {
  readonly name: infer Name extends string;
  readonly subcommands: readonly { readonly name: infer Second extends string }[];
}
  ? `${Name} ${Second}`
  : One["name"];

/** What is to be done: `get`, `lease grant`. */
export type CommandName = { [One in Entry as One["name"]]: NameOf<One> }[Entry["name"]];

export const commands: readonly CommandEntry[] = table;

/** Their first words. */
export const commandNames: readonly string[] = commands.map(({ name }) => name);

/** A command, or what its second word makes of it. */
export interface Found {
  readonly entry: CommandEntry;
  /** With both words. */
  readonly name: string;
}

/** All that can be asked for, by one word or two. */
export const allCommands: readonly Found[] = commands.flatMap((entry) =>
  entry.subcommands === undefined
    ? [{ entry, name: entry.name }]
    : entry.subcommands.map((second) => ({ entry: second, name: `${entry.name} ${second.name}` })),
);

/** Whether it is one that can be asked for as it stands. */
export function isCommandName(name: string): name is CommandName {
  return allCommands.some((known) => known.name === name);
}

export function findCommand(name: string | undefined): CommandEntry | undefined {
  return commands.find((entry) => entry.name === name);
}

const namesOf = ({ name, hintedAt }: CommandEntry): readonly string[] => [name, ...hintedAt];

/** What commands are called here and elsewhere. */
export const namesIn = (entries: readonly CommandEntry[]): readonly string[] => entries.flatMap(namesOf);

/** The command that goes by this name here, or elsewhere. */
export function commandHintedAt(
  name: string | undefined,
  entries: readonly CommandEntry[] = commands,
): string | undefined {
  return entries.find((entry) => name !== undefined && namesOf(entry).includes(name))?.name;
}

/** Flags with a value that some command has. */
export const valueFlags: ReadonlySet<string> = new Set(
  allCommands.flatMap(({ entry }) => Object.keys(entry.flags ?? {})),
);
