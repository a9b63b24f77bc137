import { isUtf8 } from "node:buffer";

/**
 * Rows as lines: for a terminal in columns, for a program with cells joined by a tab, a bar and a space,
 * which are easy to cut.
 */
export function table(
  rows: readonly (readonly string[])[],
  { printsToTerminal }: { readonly printsToTerminal: boolean },
): string {
  return printsToTerminal ? inColumns(rows) : rows.map((cells) => `${cells.join("\t| ")}\n`).join("");
}

function inColumns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((cells) => lengthOf(cells[column] ?? ""))),
  );
  const pad = (text: string, column: number): string =>
    text + " ".repeat((widths[column] ?? 0) - lengthOf(text));
  return rows.map((cells) => `${cells.map(pad).join(" | ").trimEnd()}\n`).join("");
}

const lengthOf = (text: string): number => Array.from(text).length;

/** Text in one cell: what would break the line or move the cursor is shown as JSON shows it. */
export function escapeCell(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, (character) => {
    const quoted = JSON.stringify(character).slice(1, -1);
    return quoted === character ? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}` : quoted;
  });
}

const base64Begin = "base64:";

/** A value in one cell: text, or base64 where it is not text, or where it would look like base64. */
export function valueCell(value: Uint8Array): string {
  const bytes = Buffer.from(value);
  const text = isUtf8(bytes) ? bytes.toString("utf8") : base64Begin;
  return text.startsWith(base64Begin)
    ? `${base64Begin}${bytes.toString("base64")}`
    : escapeCell(text.replaceAll("\\", "\\\\"));
}
