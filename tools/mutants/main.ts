/**
 * `make mutants [ONLY=words] [SIMULATE=seconds]`: takes one guard after the other out of a copy of the code, and
 * shows who notices, and after how long. With SIMULATE the simulator alone hunts as well.
 */
import { parseArgs } from "node:util";
import { type Finder, huntBySimulation, huntByTests } from "./hunt.ts";
import { mutants } from "./list.ts";
import type { Mutant } from "./mutant.ts";
import { Workplace } from "./workplace.ts";

interface Found {
  readonly by: Finder;
  readonly seconds: number;
}

interface Row {
  readonly mutant: Mutant;
  readonly byTests: Found;
  readonly bySimulation: Found | undefined;
}

const { values } = parseArgs({
  options: { only: { type: "string", default: "" }, simulate: { type: "string", default: "0" } },
});
process.exitCode = await main(values.only, Number(values.simulate));

async function main(words: string, simulateSeconds: number): Promise<number> {
  const chosen = mutants.filter(({ does, file }) => `${does} ${file}`.includes(words));
  if (chosen.length === 0 || Number.isNaN(simulateSeconds)) {
    say(`no mutant has "${words}" in its description, or SIMULATE is no number of seconds`);
    return 2;
  }
  const workplace = Workplace.make();
  const rows: Row[] = [];
  try {
    for (const mutant of chosen) {
      const row = await huntDown(mutant, workplace, simulateSeconds);
      rows.push(row);
      say(`${String(rows.length).padStart(2)}/${String(chosen.length)} ${describe(row)}`);
    }
  } finally {
    workplace.delete();
  }
  const missed = rows.filter(({ byTests, bySimulation }) => (byTests.by ?? bySimulation?.by) === undefined);
  say(`${String(rows.length - missed.length)} of ${String(rows.length)} found`);
  return missed.length === 0 ? 0 : 1;
}

async function huntDown(mutant: Mutant, workplace: Workplace, simulateSeconds: number): Promise<Row> {
  workplace.apply(mutant);
  try {
    await workplace.compile();
    const { directory } = workplace;
    const byTests = await timed(() => huntByTests(directory, mutant.tests));
    const bySimulation =
      simulateSeconds === 0
        ? undefined
        : await timed(() => huntBySimulation(directory, simulateSeconds * 1000));
    return { mutant, byTests, bySimulation };
  } finally {
    workplace.undo(mutant);
  }
}

async function timed(hunt: () => Promise<Finder>): Promise<Found> {
  const startMs = performance.now();
  const by = await hunt();
  return { by, seconds: (performance.now() - startMs) / 1000 };
}

function describe({ mutant, byTests, bySimulation }: Row): string {
  const simulation = bySimulation === undefined ? "" : `\n        simulator: ${result(bySimulation)}`;
  return `${mutant.does}\n        tests: ${result(byTests)}${simulation}`;
}

function result({ by, seconds }: Found): string {
  return by === undefined ? `NOBODY NOTICED (${seconds.toFixed(1)} s)` : `${by} (${seconds.toFixed(1)} s)`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
