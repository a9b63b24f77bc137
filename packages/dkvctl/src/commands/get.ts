import type { GetResult, KeyValue } from "@dkv/client";

import { Exit, exitCodes } from "../exit.ts";
import { headerJson, line } from "../output/json.ts";
import { keyJson, valueJson } from "../output/key-json.ts";
import { keyCell, metaCells, metaTitles } from "../output/keys.ts";
import { escapeCell, table, valueCell } from "../output/table.ts";
import { leaseText } from "../values.ts";
import type { CommandContext } from "./command.ts";
import { printList } from "./list.ts";

export interface GetRequest {
  /** Or what the keys begin with. */
  readonly key: string;
  readonly serializable: boolean;
  /** Whether revisions, version and lease are printed. */
  readonly isMeta: boolean;
  readonly revision: number | undefined;
  /** Most keys, of many. */
  readonly limit: number | undefined;
}

/**
 * Prints a key's value: its bytes as they are and a line feed, or with `-o value` the bytes alone. With its
 * history it is a table.
 */
export async function get({ client, output, io }: CommandContext, request: GetRequest): Promise<void> {
  const { key, serializable, isMeta, revision } = request;
  const found = await client.get(key, { serializable, revision });
  if (found === undefined) throw new Exit(exitCodes.keyNotFound, `key not found: ${escapeCell(key)}`);
  switch (output ?? (isMeta ? "table" : undefined)) {
    case undefined:
      return io.print(Buffer.concat([found.value, Buffer.from("\n")]));
    case "value":
      return io.print(found.value);
    case "json":
      return io.print(getJson(key, found));
    case "table": {
      const row = [escapeCell(key), valueCell(found.value), ...metaCells(found)];
      return io.print(table([["Key", "Value", ...metaTitles], row], io));
    }
  }
}

/** Prints all keys that begin so: by default as a table, as `value` their values, each with a line feed. */
export async function getPrefix(context: CommandContext, request: GetRequest): Promise<void> {
  const { key: prefix, serializable, isMeta, revision, limit } = request;
  const found = context.client.list({ prefix }, { serializable, revision, limit });
  const titles = ["Key", "Value", ...(isMeta ? metaTitles : [])];
  const cells = (kv: KeyValue): readonly string[] => [
    keyCell(kv),
    valueCell(kv.value),
    ...(isMeta ? metaCells(kv) : []),
  ];
  return printList(context, found, {
    titles,
    cells,
    value: ({ value }) => Buffer.concat([value, Buffer.from("\n")]),
    json: (kv) => line(keyJson(kv)),
  });
}

/** `value` is there if the value is text; `value_base64` always. */
function getJson(
  key: string,
  { value, createRevision, modRevision, version, lease, header }: GetResult,
): string {
  return line({
    key,
    ...valueJson(value),
    create_revision: createRevision,
    mod_revision: modRevision,
    version,
    ...(lease !== undefined && { lease: leaseText(lease) }),
    header: headerJson(header),
  });
}
