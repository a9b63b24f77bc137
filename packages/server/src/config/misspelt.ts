/** Flags and environment variables that were probably meant for dkv and are none of its own. */
import { environmentName, type FlagName, flagNames } from "./flags.ts";

const prefix = "DKV_";

/**
 * One line for each variable that looks like a misspelt one of dkv's. Others that begin with DKV_ are
 * somebody else's: Kubernetes makes some for a service of that name.
 */
export function misspeltVariables(
  environment: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const known = flagNames.map(environmentName);
  return Object.keys(environment).flatMap((name) => {
    if (!name.startsWith(prefix) || known.includes(name)) return [];
    const meant = nearest(name, known, prefix);
    return meant === undefined
      ? []
      : [`the environment has $${name}, which means nothing and is ignored; did you mean $${meant}?`];
  });
}

/** The flag that was probably meant by one that there is not; both without the dashes. */
export function misspeltFlag(name: string): FlagName | undefined {
  return nearest(name, flagNames);
}

/** The one with the fewest slips: at most one in every four letters behind the prefix, and three in all. */
function nearest<Known extends string>(
  name: string,
  known: readonly Known[],
  { length: sure } = "",
): Known | undefined {
  const [best] = known
    .map((candidate) => ({ candidate, slips: distance(name, candidate) }))
    .filter(({ candidate, slips }) => slips <= Math.min(3, (candidate.length - sure) / 4))
    .sort((a, b) => a.slips - b.slips);
  return best?.candidate;
}

/** Fewest letters to insert, delete, replace or swap with their neighbour to make one word of the other. */
function distance(from: string, to: string): number {
  const rows = [Array.from({ length: to.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? Number.POSITIVE_INFINITY;
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    rows.push(current);
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = at(row - 1, column - 1) + (from[row - 1] === to[column - 1] ? 0 : 1);
      const isSwapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const swapped = isSwapped ? at(row - 2, column - 2) + 1 : Number.POSITIVE_INFINITY;
      current.push(Math.min(at(row - 1, column) + 1, at(row, column - 1) + 1, replaced, swapped));
    }
  }
  return at(from.length, to.length);
}
