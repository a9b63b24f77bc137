/** What a run comes to, as a table for people. */
import type { Api } from "../options.ts";
import { type FaultKind, faultKinds, faultTitles } from "../plan/faults.ts";

export interface Verdict {
  /** Only `kept`, of all that was promised, is good. */
  readonly kind: "kept" | "violated" | "undecided" | "unreadable" | "trouble";
  /** What went wrong, and the operations that show it; empty if nothing did. */
  readonly report: string;
}

/** What the members say of their states at the end; undefined: they were not asked, or gave no answer. */
export interface StateCheck {
  readonly agree: boolean;
  /** One for each member: its name and its hash, or why there is none. */
  readonly hashes: readonly string[];
}

/** One sort of clients, and what came of their operations. */
export interface WorkloadSummary {
  readonly title: string;
  readonly acknowledged: number;
  /** Of those acknowledged, the ones that change something. */
  readonly writes: number;
  readonly failed: number;
  readonly unknown: number;
  /** What else happened, in a few words. */
  readonly details: string;
  /** What is so if the verdict is `kept`. */
  readonly promise: string;
  /** Undefined: it was not judged to the end. */
  readonly verdict: Exclude<Verdict["kind"], "trouble"> | undefined;
}

export interface Summary {
  readonly seed: number;
  readonly members: number;
  readonly api: Api;
  readonly seconds: number;
  readonly faults: ReadonlyMap<FaultKind, number>;
  /** Kinds that could not be tried here, each with the reason. */
  readonly leftOut: ReadonlyMap<FaultKind, string>;
  readonly workloads: readonly WorkloadSummary[];
  readonly longestGapMs: number;
  readonly verdict: Verdict;
  readonly state: StateCheck | undefined;
  /** Where logs and data are kept; undefined: nothing is. */
  readonly kept: string | undefined;
}

const apiTitles: Readonly<Record<Api, string>> = {
  dkv: "dkv.v1",
  etcd: "etcd v3, and dkv.v1 for locks",
  both: "dkv.v1 and etcd v3 in turn",
};

export const titleOf = (api: Api): string => apiTitles[api];

/** A history without a write is right whatever the cluster does, and says nothing. */
export function isGood({ verdict, state, workloads }: Summary): boolean {
  return verdict.kind === "kept" && state?.agree === true && workloads.every(isWellJudged);
}

const isWellJudged = ({ verdict, writes }: WorkloadSummary): boolean => verdict === "kept" && writes > 0;

const verdictTexts: Readonly<Record<Verdict["kind"], string>> = {
  kept: "all that was promised was kept",
  violated: "VIOLATED",
  undecided: "NOT KNOWN: the judge gave up",
  unreadable: "NOT KNOWN: the cluster could not be read any more",
  trouble: "TROUBLE",
};

export function renderSummary(summary: Summary): string {
  const rows = [
    ["seed", String(summary.seed)],
    ["members", String(summary.members)],
    ["clients speak", titleOf(summary.api)],
    ["time", `${summary.seconds.toFixed(0)} s`],
    ...faultRows(summary),
    ...operationRows(summary),
    ["longest time without a write", `${(summary.longestGapMs / 1000).toFixed(1)} s`],
    ["verdict", describeVerdict(summary)],
    ...summary.workloads.map((one) => [`  ${one.title}`, describeWorkload(one)]),
    ["state of the members", describeState(summary.state)],
    ...(summary.state?.hashes ?? []).map((hash) => ["", hash]),
  ];
  const width = Math.max(...rows.map(([name = ""]) => name.length));
  const table = rows.map(([name = "", value = ""]) => `${name.padEnd(width)}  ${value}`);
  return [...table, ...whatToDo(summary)].join("\n");
}

function faultRows({ faults, leftOut }: Summary): readonly string[][] {
  const total = [...faults.values()].reduce((sum, one) => sum + one, 0);
  const rows = faultKinds.flatMap((kind) => {
    const times = faults.get(kind) ?? 0;
    const reason = leftOut.get(kind);
    if (times === 0 && reason === undefined) return [];
    return [[`  ${faultTitles[kind]}`, reason === undefined ? count(times) : `left out: ${reason}`]];
  });
  return [["faults", count(total)], ...rows];
}

function operationRows({ workloads }: Summary): readonly string[][] {
  const total = workloads.reduce((sum, one) => sum + operationsOf(one), 0);
  const rows = workloads.flatMap((one) => [
    [
      `  ${one.title}`,
      `${count(operationsOf(one))}: ${count(one.acknowledged)} acknowledged, ${count(one.failed)} failed without effect, ${count(one.unknown)} unknown`,
    ],
    ["", one.details],
  ]);
  return [["operations", count(total)], ...rows];
}

const operationsOf = ({ acknowledged, failed, unknown }: WorkloadSummary): number =>
  acknowledged + failed + unknown;

function describeVerdict({ verdict, workloads }: Summary): string {
  const isEmpty = verdict.kind === "kept" && !workloads.every(isWellJudged);
  return isEmpty ? "NOT KNOWN" : verdictTexts[verdict.kind];
}

function describeWorkload({ verdict, writes, promise }: WorkloadSummary): string {
  if (verdict === undefined) return "not judged to the end";
  if (verdict !== "kept") return verdictTexts[verdict];
  return writes === 0 ? "NOT KNOWN: not one write was acknowledged" : promise;
}

function describeState(state: StateCheck | undefined): string {
  if (state === undefined) return "not compared";
  return state.agree ? "all hashes are equal" : "HASHES DIFFER or are missing";
}

function whatToDo(summary: Summary): readonly string[] {
  if (isGood(summary)) return [];
  const { verdict, kept, seed } = summary;
  return [
    ...(verdict.report === "" ? [] : ["", verdict.report]),
    "",
    ...(kept === undefined ? [] : [`Logs and data of the members are kept in ${kept}.`]),
    `The same faults in the same order: make chaos SEED=${String(seed)} and the same flags; the rest is up to chance.`,
  ];
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}
