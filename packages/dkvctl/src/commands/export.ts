import type { KeyValue } from "@dkv/client";

import { exportJson } from "../output/key-json.ts";
import { progressOn } from "../output/progress.ts";
import { printList } from "./list.ts";
import type { CommandContext } from "./command.ts";

export interface ExportRequest {
  readonly prefix: string;
  readonly revision: number | undefined;
  readonly serializable: boolean;
}

/** Said again after so many keys. */
const progressStep = 1000;

/** Prints keys and values as JSON lines, in whatever form of output, and says on a terminal how many. */
export async function exportKeys(
  { client, io }: CommandContext,
  { prefix, revision, serializable }: ExportRequest,
): Promise<void> {
  const progress = progressOn(io, progressStep, (keys) => `${keys} keys`);
  const found = client.list({ prefix }, { revision, serializable });
  async function* counted(): AsyncGenerator<KeyValue> {
    for await (const kv of found) {
      if (!io.printsToTerminal) progress.add(1);
      yield kv;
    }
  }
  try {
    await printList({ output: "json", io }, counted(), {
      titles: [],
      cells: () => [],
      value: exportJson,
      json: exportJson,
    });
  } finally {
    progress.end();
  }
}
