import type { KeyValue, ListOptions } from "@dkv/client";

import { line } from "../output/json.ts";
import { keyJson } from "../output/key-json.ts";
import { keyCell } from "../output/keys.ts";
import { table, valueCell } from "../output/table.ts";
import type { CommandContext } from "./command.ts";

export interface ListRequest {
  readonly prefix: string;
  readonly isKeysOnly: boolean;
  readonly options: Pick<ListOptions, "limit" | "revision" | "serializable">;
}

/** Prints keys: by default as a table with their values, as `value` the keys alone. */
export async function list(context: CommandContext, request: ListRequest): Promise<void> {
  const { prefix, isKeysOnly, options } = request;
  const keysOnly = isKeysOnly || context.output === "value";
  const found = context.client.list({ prefix }, { ...options, keysOnly });
  return printList(context, found, {
    titles: isKeysOnly ? ["Key"] : ["Key", "Value"],
    cells: (kv) => (isKeysOnly ? [keyCell(kv)] : [keyCell(kv), valueCell(kv.value)]),
    value: (kv) => `${keyCell(kv)}\n`,
    json: (kv) => line(keyJson(kv, { isKeyOnly: isKeysOnly })),
  });
}

/** How one key is printed. */
export interface Forms {
  readonly titles: readonly string[];
  readonly cells: (kv: KeyValue) => readonly string[];
  readonly value: (kv: KeyValue) => string | Uint8Array;
  readonly json: (kv: KeyValue) => string;
}

/** Keys that are printed together: one write for each key would take most of the time. */
const together = 1000;

/** Prints keys as they come, however many. */
export async function printList(
  { output = "table", io }: Pick<CommandContext, "output" | "io">,
  found: AsyncIterable<KeyValue>,
  { titles, cells, value, json }: Forms,
): Promise<void> {
  let [rows, isFirst] = [[] as KeyValue[], true];
  const flush = async (): Promise<boolean> => {
    const kvs = rows;
    rows = [];
    if (output === "table") {
      const head = isFirst ? [titles] : [];
      isFirst = false;
      return io.printPart(table([...head, ...kvs.map(cells)], io));
    }
    const form = output === "json" ? json : value;
    return io.printPart(Buffer.concat(kvs.map((kv) => Buffer.from(form(kv)))));
  };
  for await (const kv of found) {
    rows.push(kv);
    if (rows.length >= together && !(await flush())) return;
  }
  if (rows.length > 0 || (output === "table" && isFirst)) await flush();
}
