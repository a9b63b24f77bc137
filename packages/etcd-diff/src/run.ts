/** One run of the tool: play, and if there is a difference, make it small and tell of it. */
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Arena, type StartPlayer } from "./arena.ts";
import type { Finding } from "./compare/finding.ts";
import { generate } from "./generate/generate.ts";
import type { Options } from "./options.ts";
import { type Outcome, playBoth } from "./play/compare-run.ts";
import { renderFinding, renderSteps } from "./report.ts";
import { shrink } from "./shrink/shrink.ts";
import { decodeSteps, encodeSteps, type Step } from "./step.ts";

export interface Run {
  readonly options: Options;
  /** Start etcd, and what it is compared with. */
  readonly starts: readonly [StartPlayer, StartPlayer];
  readonly names: readonly [string, string];
  readonly nowMs: () => number;
  readonly print: (line: string) => void;
}

/** How often it is told how far a run is. */
const progressMs = 10_000;

/** Resolves to whether there was no difference. */
export async function runDiff(run: Run): Promise<boolean> {
  const { starts, print, nowMs } = run;
  const arena = new Arena(starts);
  try {
    const from = nowMs();
    const outcome = await play(run, arena);
    const seconds = ((nowMs() - from) / 1000).toFixed(0);
    if (outcome.finding === undefined) {
      print(`${String(outcome.steps.length)} requests in ${seconds} s: no difference`);
      return true;
    }
    print(`\n${renderFinding(outcome.finding, run.names)}\n`);
    await reduce(run, { arena, outcome, finding: outcome.finding });
    return false;
  } finally {
    await arena.close();
  }
}

async function play({ options, nowMs, print }: Run, arena: Arena): Promise<Outcome> {
  const steps = options.replay === undefined ? generate(options) : await stepsOf(options.replay);
  let told = nowMs();
  return arena.with(async (pair) => {
    const outcome = await playBoth(pair, steps, (played) => {
      if (nowMs() < told + progressMs) return;
      told = nowMs();
      print(`${String(played)} requests`);
    });
    if (outcome.finding?.what === "an ending") {
      for (const { server } of pair) print(`the last words of ${server.name}:\n${server.lastWords()}`);
    }
    return outcome;
  }, true);
}

async function stepsOf(file: string): Promise<readonly Step[]> {
  return decodeSteps(await readFile(file, "utf8"));
}

interface Failed {
  readonly arena: Arena;
  readonly outcome: Outcome;
  readonly finding: Finding;
}

/** Makes the stream smaller, prints what is left of it, and says how to repeat it. */
async function reduce(run: Run, { arena, outcome, finding }: Failed): Promise<void> {
  const { options, print, nowMs, names } = run;
  const all = outcome.steps.slice(0, finding.at + 1);
  const until = nowMs() + options.shrinkSeconds * 1000;
  if (options.shrinkSeconds > 0) print("making the stream smaller; each try starts both servers anew");
  const shrunk = await shrink(outcome, {
    run: (steps) => arena.with((pair) => playBoth(pair, steps, () => undefined)),
    isOver: () => nowMs() >= until,
  });
  if (shrunk !== undefined) {
    print(`after ${String(shrunk.runs)} tries:\n\n${renderSteps(shrunk.steps)}\n`);
    print(`${renderFinding(shrunk.finding, names)}\n`);
  } else {
    if (options.shrinkSeconds > 0) print("it did not come again: time or chance is in it");
    print(`its steps:\n${renderSteps(all)}\n`);
  }
  const file = join(await mkdtemp(join(tmpdir(), "dkv-etcd-diff-")), `seed-${String(options.seed)}.steps`);
  await writeFile(file, encodeSteps(shrunk?.steps ?? all));
  print(`Repeat it: make etcd-diff REPLAY=${file}${flagsOf(options)}`);
}

function flagsOf({ against, members }: Options): string {
  const flags = [
    ...(against === "dkv" ? [] : [`--against ${against}`]),
    ...(members === 1 ? [] : [`--members ${String(members)}`]),
  ];
  return flags.length === 0 ? "" : ` DIFF='${flags.join(" ")}'`;
}
