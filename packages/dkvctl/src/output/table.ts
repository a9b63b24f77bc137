import { isUtf8 } from "node:buffer";

/** Rows as lines, cells joined by a tab, a bar and a space: easy on the eye and easy to cut. */
export function table(rows: readonly (readonly string[])[]): string {
  return rows.map((cells) => `${cells.join("\t| ")}\n`).join("");
}

/** Text in one cell: what would break the line or move the cursor is shown as JSON shows it. */
export function escapeCell(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, (character) => {
    const quoted = JSON.stringify(character).slice(1, -1);
    return quoted === character ? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}` : quoted;
  });
}

/** A value in one cell: text, or base64 where it is not text. */
export function valueCell(value: Uint8Array): string {
  const bytes = Buffer.from(value);
  return isUtf8(bytes) ? escapeCell(bytes.toString("utf8")) : `base64:${bytes.toString("base64")}`;
}
