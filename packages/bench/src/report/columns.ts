/** Lines of cells as text, each column as wide as its widest cell and two spaces from the next. */
export function alignColumns(
  lines: readonly (readonly string[])[],
  aligns: readonly ("left" | "right")[],
): readonly string[] {
  const widths = aligns.map((_, at) => Math.max(...lines.map((line) => (line[at] ?? "").length)));
  return lines.map((line) =>
    line
      .map((text, at) =>
        aligns[at] === "left" ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
}
