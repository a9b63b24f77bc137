import type { KeyValue, SetOptions, SetResult } from "@dkv/client";

import { headerJson, line } from "../output/json.ts";
import { keyJson } from "../output/key-json.ts";
import { table, valueCell } from "../output/table.ts";
import type { CommandContext } from "./command.ts";

export interface SetRequest {
  readonly key: string;
  /** `-`: standard input. */
  readonly value: string;
  readonly options: SetOptions;
}

/**
 * Sets a key. Prints nothing by default: that it returns is the answer. If asked for, prints what the key was
 * before.
 */
export async function set(
  { client, output = "value", io }: CommandContext,
  { key, value: given, options }: SetRequest,
): Promise<void> {
  const value = given === "-" ? await io.readInput() : given;
  const result = await client.set(key, value, options);
  switch (output) {
    case "value":
      return printPrevious(io, result.previous);
    case "json":
      return io.print(setJson(key, result));
    case "table": {
      const isAsked = options.returnPrevious === true;
      const titles = ["Key", "Revision", ...(isAsked ? ["Previous"] : [])];
      const row = [valueCell(Buffer.from(key)), `${result.header.revision}`];
      return io.print(table([titles, isAsked ? [...row, previousCell(result.previous)] : row], io));
    }
  }
}

/** As `get` prints a value; nothing if there was none. */
export async function printPrevious(io: CommandContext["io"], previous: KeyValue | undefined): Promise<void> {
  if (previous !== undefined) await io.print(Buffer.concat([previous.value, Buffer.from("\n")]));
}

export const previousCell = (previous: KeyValue | undefined): string =>
  previous === undefined ? "" : valueCell(previous.value);

function setJson(key: string, { previous, header }: SetResult): string {
  const before = previous === undefined ? {} : { previous: keyJson(previous) };
  return line({ key, ...before, header: headerJson(header) });
}
