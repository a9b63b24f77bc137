/** One run: a cluster under faults, and a verdict. */
import { Trouble } from "./cluster/fleet.ts";
import { Load } from "./load/load.ts";
import type { Workload } from "./load/workload.ts";
import { Nemesis } from "./nemesis/nemesis.ts";
import type { Scene } from "./nemesis/scene.ts";
import type { Options } from "./options.ts";
import type { FaultKind } from "./plan/faults.ts";
import { planRounds } from "./plan/plan.ts";
import { after, nowMs, sleep, timeOfDay } from "./platform/time.ts";
import {
  isGood,
  renderSummary,
  titleOf,
  type StateCheck,
  type Summary,
  type Verdict,
  type WorkloadSummary,
} from "./report/summary.ts";
import { prepareStage, type Stage } from "./stage.ts";

export interface RunOptions extends Options {
  /** Is there, empty, and nobody else's. Gone after a good run. */
  readonly directory: string;
  readonly print: (line: string) => void;
  /** Ends the faults early; what was seen until then is judged all the same. */
  readonly stop: AbortSignal;
}

/** How long the members may take to agree on their hashes once nothing disturbs them. */
const checkMs = 60_000;
const progressMs = 10_000;

export async function runChaos(options: RunOptions): Promise<Summary> {
  const run = new Run(options);
  const stage = await prepareStage(options.directory, options, (trouble) => run.fail(trouble));
  try {
    return await run.on(stage);
  } catch (error) {
    await stage.close({ keep: true });
    throw error;
  }
}

class Run {
  readonly #options: RunOptions;
  readonly #startedMs = nowMs();
  readonly #faults = new Map<FaultKind, number>();
  /** Aborted when there is nothing more to try. */
  readonly #over = new AbortController();
  #bad: Verdict | undefined;
  #note: (line: string) => void = () => undefined;

  constructor(options: RunOptions) {
    this.#options = options;
  }

  /** The first failure is the verdict. */
  fail(error: Trouble): void {
    this.#condemn({ kind: "trouble", report: error.message });
  }

  async on(stage: Stage): Promise<Summary> {
    const { stop, seed, writers, minutes, api } = this.#options;
    const { fleet, clients } = stage.scene;
    this.#note = stage.note;
    this.#note(
      `0 s is ${timeOfDay().toISOString()} less ${((nowMs() - this.#startedMs) / 1000).toFixed(1)} s`,
    );
    await fleet.startAll();
    await fleet.cluster.waitForLeader();
    const startedMs = this.#startedMs;
    const load = new Load({
      clients,
      seed,
      startedMs,
      writers,
      onVerdict: (verdict) => this.#condemn(verdict),
    });
    const size = `${String(fleet.members.length)} members, ${String(writers)} clients`;
    this.#say(`${size} that speak ${titleOf(api)}, seed ${String(seed)}`);
    const cancelEnd = after(minutes * 60_000, () => this.#over.abort());
    const stopNow = (): void => this.#over.abort();
    stop.addEventListener("abort", stopNow, { once: true });
    if (stop.aborted) stopNow();
    const reporting = this.#report(load);
    await this.#disturb(stage, load);
    this.#over.abort();
    cancelEnd();
    stop.removeEventListener("abort", stopNow);
    await reporting;
    const longestGapMs = load.registers.tally.gapMs(nowMs());
    if (this.#bad === undefined) {
      this.#say("all faults are healed; reading everything once more");
      await load.stop();
    } else {
      await fleet.killAll();
      await load.abandon();
    }
    const state = this.#bad === undefined ? await compare(stage.scene) : undefined;
    return this.#finish(stage, { load, longestGapMs, state });
  }

  async #disturb({ scene, leftOut }: Stage, load: Load): Promise<void> {
    const kinds = this.#options.kinds.filter((kind) => !leftOut.has(kind));
    if (kinds.length === 0) {
      this.fail(new Trouble("none of the faults that were asked for can be had here"));
      return;
    }
    const nemesis = new Nemesis({
      scene,
      hurry: this.#over.signal,
      say: (line) => this.#say(line),
      onFault: (kind) => this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + 1),
      proveUse: () => load.useEach(scene.fleet.members),
    });
    await sleep(1_000, this.#over.signal);
    for (const round of planRounds({ seed: this.#options.seed, kinds })) {
      if (this.#over.signal.aborted) return;
      try {
        await nemesis.play(round);
      } catch (error) {
        // After a failure things are taken away that the round still needs.
        if (this.#bad !== undefined) return;
        if (!(error instanceof Trouble)) throw error;
        this.fail(error);
      }
    }
  }

  async #report(load: Load): Promise<void> {
    while (!this.#over.signal.aborted) {
      await sleep(progressMs, this.#over.signal);
      const gap = (load.registers.tally.gapMs(nowMs()) / 1000).toFixed(1);
      this.#say(
        `${String(load.operations)} operations, ${String(load.unknown)} unknown, ${gap} s without a write at most`,
      );
    }
  }

  async #finish(stage: Stage, { load, longestGapMs, state }: Outcome): Promise<Summary> {
    const verdict = this.#bad ?? { kind: "kept", report: "" };
    const seen: Summary = {
      seed: this.#options.seed,
      members: this.#options.members,
      api: this.#options.api,
      seconds: (nowMs() - this.#startedMs) / 1000,
      faults: this.#faults,
      leftOut: stage.leftOut,
      workloads: load.workloads.map((one) => summaryOf(one, this.#bad !== undefined)),
      longestGapMs,
      verdict,
      state,
      kept: undefined,
    };
    const keep = !isGood(seen);
    const summary = keep ? { ...seen, kept: this.#options.directory } : seen;
    stage.note(renderSummary(summary));
    await stage.close({ keep });
    return summary;
  }

  #condemn(verdict: Verdict): void {
    if (this.#bad !== undefined) return;
    this.#bad = verdict;
    this.#say(`failed: ${verdict.report.split("\n")[0] ?? ""}`);
    this.#over.abort();
  }

  #say(line: string): void {
    const seconds = ((nowMs() - this.#startedMs) / 1000).toFixed(1).padStart(7);
    this.#options.print(`${seconds} s  ${line}`);
    this.#note(`${seconds} s  ${line}`);
  }
}

/** What is wrong with one cuts the judgement of the others short. */
function summaryOf(
  { title, promise, details, verdict, tally }: Workload,
  isCutShort: boolean,
): WorkloadSummary {
  const { acknowledged, writes, failed, unknown } = tally;
  const kind = verdict?.kind ?? (isCutShort ? undefined : "kept");
  return { title, promise, details, acknowledged, writes, failed, unknown, verdict: kind };
}

interface Outcome {
  readonly load: Load;
  readonly longestGapMs: number;
  readonly state: StateCheck | undefined;
}

/** Asks until every member has given its hash, or one differs, or time is up. */
async function compare({ clients }: Scene): Promise<StateCheck | undefined> {
  const deadlineMs = nowMs() + checkMs;
  let last: StateCheck | undefined;
  while (nowMs() < deadlineMs) {
    const result = await clients.dkv
      .all()
      .check({ timeoutMs: 15_000 })
      .catch(() => undefined);
    const members = result?.members ?? [];
    last = {
      agree: members.length > 0 && members.every(({ verdict }) => verdict === "agrees"),
      hashes: members.map(({ id, hash, reason }) =>
        hash === undefined
          ? `${id} ${reason ?? "gave no answer"}`
          : `${id} ${Buffer.from(hash).toString("hex").slice(0, 16)}`,
      ),
    };
    if (last.agree || members.some(({ verdict }) => verdict === "differs")) return last;
    await sleep(500);
  }
  return last;
}
