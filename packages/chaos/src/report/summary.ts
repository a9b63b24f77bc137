/** What a run comes to, as a table for people. */
import { type FaultKind, faultKinds, faultTitles } from "../plan/faults.ts";

export interface Verdict {
  /** Only `linearizable` is good. */
  readonly kind: "linearizable" | "violated" | "undecided" | "unreadable" | "trouble";
  /** What went wrong, and the operations that show it; empty if nothing did. */
  readonly report: string;
}

/** What the members say of their states at the end; undefined: they were not asked, or gave no answer. */
export interface StateCheck {
  readonly agree: boolean;
  /** One for each member: its name and its hash, or why there is none. */
  readonly hashes: readonly string[];
}

export interface Summary {
  readonly seed: number;
  readonly members: number;
  readonly seconds: number;
  readonly faults: ReadonlyMap<FaultKind, number>;
  /** Kinds that could not be tried here, each with the reason. */
  readonly leftOut: ReadonlyMap<FaultKind, string>;
  readonly operations: number;
  readonly acknowledged: number;
  /** Of those acknowledged, the ones that change something. */
  readonly writes: number;
  readonly failed: number;
  readonly unknown: number;
  readonly windows: number;
  readonly longestGapMs: number;
  readonly verdict: Verdict;
  readonly state: StateCheck | undefined;
  /** Where logs and data are kept; undefined: nothing is. */
  readonly kept: string | undefined;
}

/** A history without a write is always linearizable, and says nothing. */
export function isGood({ verdict, state, writes }: Summary): boolean {
  return verdict.kind === "linearizable" && state?.agree === true && writes > 0;
}

const verdictTexts: Readonly<Record<Verdict["kind"], string>> = {
  linearizable: "linearizable, nothing acknowledged is missing",
  violated: "VIOLATED",
  undecided: "NOT KNOWN: the judge gave up",
  unreadable: "NOT KNOWN: the cluster could not be read any more",
  trouble: "TROUBLE",
};

export function renderSummary(summary: Summary): string {
  const rows = [
    ["seed", String(summary.seed)],
    ["members", String(summary.members)],
    ["time", `${summary.seconds.toFixed(0)} s`],
    ...faultRows(summary),
    ["operations", `${count(summary.operations)} in ${count(summary.windows)} windows`],
    ["  acknowledged", count(summary.acknowledged)],
    ["  failed, without effect", count(summary.failed)],
    ["  unknown", count(summary.unknown)],
    ["longest time without a write", `${(summary.longestGapMs / 1000).toFixed(1)} s`],
    ["verdict", describeVerdict(summary)],
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

function describeVerdict({ verdict, writes }: Summary): string {
  if (verdict.kind === "linearizable" && writes === 0) return "NOT KNOWN: not one write was acknowledged";
  return verdictTexts[verdict.kind];
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
