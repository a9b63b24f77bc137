import type { KeyValue, TxnOperationResult, TxnResult } from "@dkv/client";

import { Exit, exitCodes, usageError } from "../exit.ts";
import { txnJson } from "../output/key-json.ts";
import { keyCell } from "../output/keys.ts";
import { valueCell } from "../output/table.ts";
import { linesOf } from "../platform/lines.ts";
import { mistakeIn, type Section, TxnText } from "../txn/parse.ts";
import type { CommandContext, Io } from "./command.ts";

/**
 * Does a transaction, and prints whether its conditions held and what its operations gave, one on a line.
 * With `-o value` what was read, alone.
 */
export async function txn({ client, output = "table", io }: CommandContext, path = "-"): Promise<void> {
  const text =
    path === "-" && io.readsFromTerminal
      ? await ask(io)
      : await readAll(path === "-" ? io.lines() : linesOf(path));
  const { compares, success, failure } = text;
  const result = await client.txn({ compares, success, failure });
  switch (output) {
    case "json":
      return io.print(txnJson(result));
    case "value":
      return io.print(Buffer.concat(foundIn(result.results).flatMap(({ value }) => [value, lineFeed])));
    case "table":
      return io.print(report(result));
  }
}

/** @throws Exit about the first line that makes no sense, and if there is nothing to do */
async function readAll(lines: AsyncIterable<string>): Promise<TxnText> {
  const text = new TxnText();
  let at = 0;
  for await (const line of lines) {
    at += 1;
    try {
      text.read(line);
    } catch (error) {
      throw usageError(`line ${at}: ${mistakeIn(error)}; see dkvctl txn --help`);
    }
  }
  if (text.success.length + text.failure.length === 0)
    throw usageError(
      'the transaction does nothing: write operations after "then" or "else"; see dkvctl txn --help',
    );
  return text;
}

/** In their order, with what is asked for. */
const sections: readonly (readonly [section: Section, question: string])[] = [
  ["if", "conditions, such as: if version greeting = 3"],
  ["then", "operations if they hold, such as: set greeting hello"],
  ["else", "operations otherwise"],
];

/**
 * Asks a person, section by section; a line that makes no sense is said, and asked for again. An empty line
 * ends a section, and so does the name of one that comes later, as in a file.
 */
async function ask(io: Io): Promise<TxnText> {
  const text = new TxnText();
  const lines = io.lines()[Symbol.asyncIterator]();
  let asked: Section | undefined;
  for (;;) {
    const { section } = text;
    const at = sections.findIndex(([name]) => name === section);
    if (section !== asked) io.explain(`${sections[at]?.[1] ?? ""}; an empty line ends them\n`);
    asked = section;
    io.explain(`${section}> `);
    const { value: line, done } = await lines.next();
    if (done === true) throw new Exit(exitCodes.failure, "given up: nothing was done");
    const word = line.trim();
    if (word === "") {
      const [next] = sections[at + 1] ?? [];
      if (next === undefined) break;
      text.enter(next);
    } else if (section === "if" || word !== section) tryRead(text, line, io);
  }
  // Or the terminal would be read on, and the run would not end.
  await lines.return?.();
  return text;
}

function tryRead(text: TxnText, line: string, io: Io): void {
  const isCondition = text.section === "if" && !/^\s*(?:#|if\b|(?:then|else)\s*$)/.test(line);
  try {
    text.read(isCondition ? `if ${line}` : line);
  } catch (error) {
    const hint = text.section === "if" ? "; an empty line ends the conditions" : "";
    io.explain(`${mistakeIn(error)}${hint}\n`);
  }
}

function report({ succeeded, results, header }: TxnResult): string {
  const first = `${succeeded ? "succeeded" : "failed"}\t| revision ${header.revision}`;
  return [first, ...results.flatMap(rowsOf)].map((row) => `${row}\n`).join("");
}

function rowsOf(result: TxnOperationResult): readonly string[] {
  switch (result.kind) {
    case "get":
      return [
        ...result.found.map((kv) => row("get", kv)),
        ...(result.found.length === 0 ? ["get\t| no key"] : []),
        ...(result.hasMore ? [`get\t| ${result.found.length} of ${result.count} keys`] : []),
      ];
    case "set":
      return [result.previous === undefined ? "set" : row("set\t| before", result.previous)];
    case "delete":
      return [`delete\t| ${result.deleted}`, ...result.previous.map((kv) => row("delete\t| before", kv))];
    case "txn":
      return result.results.flatMap(rowsOf);
  }
}

const row = (what: string, kv: KeyValue): string => `${what}\t| ${keyCell(kv)}\t| ${valueCell(kv.value)}`;

const lineFeed = Buffer.from("\n");

function foundIn(results: readonly TxnOperationResult[]): readonly KeyValue[] {
  return results.flatMap((result) => (result.kind === "get" ? result.found : []));
}
