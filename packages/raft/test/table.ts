import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

/** The cells of a table in a text file beside the tests, without comments and empty lines. */
export function rowsOf(name: string): readonly (readonly string[])[] {
  const text = readFileSync(new URL(name, import.meta.url), "utf8");
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  assert.ok(lines.length > 10, "the table is there");
  return lines.map((line) => line.split("|").map((cell) => cell.trim()));
}
