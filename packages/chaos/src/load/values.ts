/** Values that nobody else writes, filled up so that logs grow and files fill. */

/** What a value is filled up with, to lengths that differ. */
const filler = "x".repeat(4_096);

/** What is stored for a value. */
export function padded(value: string): string {
  let sum = 0;
  for (const letter of value) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 4_096;
  return `${value} ${filler.slice(0, sum)}`;
}

/** What was written, by what is stored: the whole of it if it is nothing that a client has written. */
export function unpadded(stored: string): string {
  const value = stored.slice(0, Math.max(0, stored.indexOf(" ")));
  return padded(value) === stored ? value : stored;
}
