/** `make mutants`: see help.ts. */
import { constants } from "node:os";
import { parseArgs } from "node:util";
import { type Catch, chase, type Found, type Row, type Task } from "./chase.ts";
import { help } from "./help.ts";
import { mutants } from "./list.ts";
import { mistakesIn } from "./mistakes.ts";

const stopping = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(name, () => {
    process.exitCode = 128 + constants.signals[name];
    stopping.abort();
  });
}
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  stopping.abort();
  // Whoever read this has seen enough.
  if (error.code === "EPIPE") return;
  process.exitCode = 1;
  process.stderr.write(`cannot write what was found: ${error.message}\n`);
});
const status = await main(process.argv.slice(2));
// What has stopped it says how it ends.
if (!stopping.signal.aborted) process.exitCode = status;

async function main(args: readonly string[]): Promise<number> {
  const task = parse(args);
  if (typeof task === "number") return task;
  const mistakes = mistakesIn(task.chosen);
  if (mistakes.length > 0)
    return complain(`the list of mutants does not fit the code:\n${mistakes.join("\n")}`);
  const startMs = performance.now();
  let count = 0;
  const caught = await chase(task, (row) => {
    count += 1;
    say(`${String(count).padStart(2)}/${String(task.chosen.length)} ${describe(row)}`);
  });
  return report(caught, task, (performance.now() - startMs) / 60_000);
}

/** A number is the status to exit with at once. */
function parse(args: readonly string[]): Task | number {
  const options = {
    only: { type: "string", default: "" },
    simulate: { type: "string", default: "0" },
    help: { type: "boolean", default: false },
  } as const;
  let given: ReturnType<typeof parseArgs<{ options: typeof options }>>["values"];
  try {
    given = parseArgs({ args: [...args], options }).values;
  } catch (error) {
    return complain(error instanceof Error ? error.message : String(error));
  }
  if (given.help) {
    process.stdout.write(help);
    return 0;
  }
  const simulateSeconds = Number(given.simulate);
  if (!(simulateSeconds >= 0 && simulateSeconds < Number.POSITIVE_INFINITY))
    return complain(`SIMULATE=${given.simulate} is not a number of seconds`);
  const chosen = mutants.filter(({ does, file }) => `${does} ${file}`.includes(given.only));
  if (chosen.length === 0) return complain(`no mutant has "${given.only}" in its description or file`);
  const nowMs = (): number => performance.now();
  const terminal = { say, nowMs, environment: process.env };
  return { chosen, simulateSeconds, signal: stopping.signal, terminal };
}

function report({ rows, control }: Catch, { chosen }: Task, minutes: number): number {
  const missed = rows.filter(({ byTests, bySimulation }) => (byTests.by ?? bySimulation?.by) === undefined);
  for (const { mutant } of missed) say(`not noticed: ${mutant.does} (${mutant.file})`);
  for (const test of control) say(`did not count, for it fails with all guards as well: ${test}`);
  const all =
    rows.length < chosen.length ? `, stopped before the other ${String(chosen.length - rows.length)}` : "";
  const found = `${String(rows.length - missed.length)} of ${String(rows.length)} found`;
  say(`${found}${all} (${minutes.toFixed(1)} minutes)`);
  return missed.length === 0 && control.length === 0 ? 0 : 1;
}

function describe({ mutant, byTests, bySimulation }: Row): string {
  const simulation = bySimulation === undefined ? "" : `\n        simulator: ${result(bySimulation)}`;
  return `${mutant.does}\n        tests: ${result(byTests)}${simulation}`;
}

function result({ by, seconds }: Found): string {
  return `${by ?? "NOBODY NOTICED"} (${seconds.toFixed(1)} s)`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function complain(what: string): number {
  process.stderr.write(`mutants: ${what}\nmutants: node tools/mutants/main.ts --help explains\n`);
  return 2;
}
