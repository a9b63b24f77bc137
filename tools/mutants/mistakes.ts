/** What can be told to be wrong with a list of mutants without running anything. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../sources.ts";
import { type Mutant, mutated } from "./mutant.ts";

/** In sentences; none if every guard stands where its mutant says, and whoever ought to notice exists. */
export function mistakesIn(mutants: readonly Mutant[], directory = root): readonly string[] {
  return mutants.flatMap((mutant, position) => {
    const { does, tests } = mutant;
    const isRepeated = mutants.findIndex((other) => other.does === does) < position;
    return [
      ...(isRepeated ? [`"${does}" is there twice`] : []),
      ...guardMistakes(mutant, directory),
      ...tests
        .filter((pattern) => globSync(pattern, { cwd: directory }).length === 0)
        .map((pattern) => `"${does}": there is no test ${pattern}`),
    ];
  });
}

function guardMistakes(mutant: Mutant, directory: string): readonly string[] {
  const { does, file, guard } = mutant;
  const path = join(directory, file);
  if (!existsSync(path)) return [`"${does}": there is no ${file}`];
  const source = readFileSync(path, "utf8");
  const changed = mutated(mutant, source);
  if (changed === undefined) return [`"${does}": ${file} does not have this exactly once:\n${guard}`];
  return changed === source ? [`"${does}" takes nothing out of ${file}`] : [];
}
