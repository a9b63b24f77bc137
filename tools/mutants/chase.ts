/** Hunts for one mutant after the other, some at a time, each in a copy of the tree of its own. */
import { globSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Control } from "./control.ts";
import { type Finder, type Ground, huntBySimulation, huntByTests } from "./hunt.ts";
import { sideBySide } from "./lanes.ts";
import type { Mutant } from "./mutant.ts";
import { Workplace } from "./workplace.ts";

/** What the tool needs of the world. */
export interface Terminal {
  say(line: string): void;
  nowMs(): number;
  readonly environment: Ground["environment"];
}

export interface Task {
  readonly chosen: readonly Mutant[];
  readonly simulateSeconds: number;
  readonly signal: AbortSignal;
  readonly terminal: Terminal;
}

export interface Found {
  readonly by: Finder;
  readonly seconds: number;
}

export interface Row {
  readonly mutant: Mutant;
  readonly byTests: Found;
  readonly bySimulation: Found | undefined;
}

export interface Catch {
  readonly rows: readonly Row[];
  /** Of what failed although no guard was missing. */
  readonly control: readonly string[];
}

/** The files of a mutant's tests in the order in which they are run. */
function filesOf({ tests }: Pick<Mutant, "tests">, directory: string): readonly string[] {
  return [...new Set(tests.flatMap((pattern) => globSync(pattern, { cwd: directory }).sort(byName)))];
}

export async function chase(task: Task, onRow: (row: Row) => void): Promise<Catch> {
  const untouched = Workplace.make();
  const lanes = Array.from({ length: availableParallelism() }, () => Workplace.make());
  try {
    const control = new Control(groundIn(untouched, task));
    const simulator = await controlRun(task, untouched, control);
    const rows: Row[] = [];
    await sideBySide(task.chosen, lanes, async (mutant, lane) => {
      const row = await huntDown(mutant, { task, lane, control });
      // Nobody had the time to notice.
      if (task.signal.aborted) return "stop";
      rows.push(row);
      onRow(row);
      return "go on";
    });
    const failures = await control.failures();
    return { rows, control: [...failures.map(({ file, test }) => `${test} (${file})`), ...simulator] };
  } finally {
    for (const workplace of [untouched, ...lanes]) workplace.delete();
  }
}

/** Nothing may be found where nothing is missing. What else is needed later is looked at then. */
async function controlRun(task: Task, workplace: Workplace, control: Control): Promise<readonly string[]> {
  const { chosen, signal, simulateSeconds, terminal } = task;
  const firsts = chosen.flatMap((mutant) => filesOf(mutant, workplace.directory).slice(0, 1));
  const files = [...new Set(firsts)];
  const startMs = terminal.nowMs();
  await sideBySide(files, Array.from({ length: availableParallelism() }), async (file) => {
    const test = await control.failureIn(file);
    if (test !== undefined && !signal.aborted)
      terminal.say(`control: fails with all guards: ${test} (${file})`);
    return signal.aborted ? "stop" : "go on";
  });
  const seed =
    simulateSeconds === 0
      ? undefined
      : await huntBySimulation(groundIn(workplace, task), simulateSeconds * 1000);
  const seconds = ((terminal.nowMs() - startMs) / 1000).toFixed(0);
  const failed = await control.failures();
  if (failed.length === 0 && seed === undefined && !signal.aborted)
    terminal.say(`control: no mutant, nothing found in ${countOf(files, "file")} of tests (${seconds} s)`);
  return seed === undefined ? [] : [seed];
}

interface Hunter {
  readonly task: Task;
  readonly lane: Workplace;
  readonly control: Control;
}

async function huntDown(mutant: Mutant, { task, lane, control }: Hunter): Promise<Row> {
  const { signal, simulateSeconds, terminal } = task;
  const ground = groundIn(lane, task);
  const putBack = lane.apply(mutant);
  try {
    if (simulateSeconds > 0 || needsCompiling(mutant)) await lane.compile(signal);
    const byTests = await timed(terminal, () => noticedBy(mutant, ground, control));
    const bySimulation =
      simulateSeconds === 0
        ? undefined
        : await timed(terminal, () => huntBySimulation(ground, simulateSeconds * 1000));
    return { mutant, byTests, bySimulation };
  } finally {
    putBack();
  }
}

/** The first test that fails because the guard is gone: always, and only then. */
export async function noticedBy(
  mutant: Pick<Mutant, "tests">,
  ground: Ground,
  control: Control,
): Promise<Finder> {
  for (const file of filesOf(mutant, ground.directory)) {
    const test = await huntByTests(ground, file);
    if (test === undefined) continue;
    // A test that fails now and then, as when the machine is busy, has noticed nothing.
    if ((await control.failureIn(file)) !== undefined) continue;
    if ((await huntByTests(ground, file)) !== undefined) return `${test} (${file})`;
  }
  return undefined;
}

/** Tests read the source of their own package, and what others were compiled to. */
function needsCompiling({ file, tests }: Mutant): boolean {
  const [packages, name] = file.split("/");
  return !tests.every((pattern) => pattern.startsWith(`${String(packages)}/${String(name)}/`));
}

/** Tests put their directories into the copy: those that are killed leave them behind. */
function groundIn({ directory, temporary }: Workplace, { signal, terminal }: Task): Ground {
  return { directory, environment: { ...terminal.environment, TMPDIR: temporary }, signal };
}

async function timed(terminal: Terminal, hunt: () => Promise<Finder>): Promise<Found> {
  const startMs = terminal.nowMs();
  const by = await hunt();
  return { by, seconds: (terminal.nowMs() - startMs) / 1000 };
}

const countOf = ({ length }: readonly unknown[], what: string): string =>
  `${String(length)} ${what}${length === 1 ? "" : "s"}`;

const byName = (a: string, b: string): number => (a < b ? -1 : 1);
