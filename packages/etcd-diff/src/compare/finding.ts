/** What two servers did differently, as people and the shrinker see it. */
import { type Plain, type PlainMessage, textOf } from "../message/plain.ts";
import type { Deliveries } from "../play/watching.ts";
import type { Step } from "../step.ts";
import { type Difference, differenceOf } from "./difference.ts";

export interface Finding {
  /** Index of the last step that can have to do with it. */
  readonly at: number;
  /** What was compared: a step, or what a watcher got. */
  readonly what: string;
  /** What differs in it. */
  readonly difference: Difference;
  /** All that the one and the other said. */
  readonly a: Plain;
  readonly b: Plain;
}

/** What one server did in a stretch of steps. */
export interface Played {
  /** An answer for each step. */
  readonly answers: readonly PlainMessage[];
  readonly deliveries: Deliveries;
  /** Index of the first step during which, or before which, the server ended; undefined: it did not. */
  readonly endedAt: number | undefined;
}

/** The first difference in a stretch of steps, of which the first one has the index `from`. */
export function firstFinding(
  [a, b]: readonly [Played, Played],
  steps: readonly Step[],
  from: number,
): Finding | undefined {
  const end = endIn([a, b], from);
  if (end !== undefined) return end;
  for (const [at, step] of steps.entries()) {
    const [ours, theirs] = [a.answers[at] ?? {}, b.answers[at] ?? {}];
    const difference = differenceOf(ours, theirs);
    if (difference !== undefined) return { at: from + at, what: step.call, difference, a: ours, b: theirs };
  }
  const last = from + steps.length - 1;
  return faultIn([a.deliveries, b.deliveries], last) ?? deliveredIn([a.deliveries, b.deliveries], last);
}

/** It ended by itself. */
function endIn([a, b]: readonly [Played, Played], from: number): Finding | undefined {
  const ends = [a, b].flatMap(({ endedAt }) => endedAt ?? []);
  if (ends.length === 0) return undefined;
  const [ours, theirs] = [a, b].map(({ endedAt }) => (endedAt === undefined ? "goes on" : "has ended"));
  const difference = { path: "", a: ours, b: theirs };
  const at = from + Math.min(...ends);
  return { at, what: "an ending", difference, a: ours ?? "", b: theirs ?? "" };
}

/** What no server may do, even if both do it. */
function faultIn([a, b]: readonly [Deliveries, Deliveries], at: number): Finding | undefined {
  const [ours, theirs] = [a.faults[0], b.faults[0]];
  if (ours === undefined && theirs === undefined) return undefined;
  const difference = { path: (ours ?? theirs ?? "").replaceAll(/\d+/g, "n"), a: ours, b: theirs };
  return { at, what: "a watch", difference, a: [...a.faults], b: [...b.faults] };
}

function deliveredIn([a, b]: readonly [Deliveries, Deliveries], at: number): Finding | undefined {
  const serials = [...new Set([...a.watchers.keys(), ...b.watchers.keys()])].toSorted((x, y) => x - y);
  for (const serial of serials) {
    const [ours, theirs] = [a.watchers.get(serial) ?? [], b.watchers.get(serial) ?? []];
    const difference = differenceOf(ours, theirs);
    if (difference === undefined) continue;
    const place = Number(difference.path.split(".")[0] ?? 0);
    const around = [Math.max(0, place - 1), place + 2] as const;
    const who = serial === 0 ? "everything" : `by the ${String(serial)}. Watch/create`;
    return {
      at,
      what: `what is watched ${who}, from delivery ${String(around[0] + 1)} on`,
      difference,
      a: ours.slice(...around),
      b: theirs.slice(...around),
    };
  }
  return undefined;
}

/** The same for findings that are the same but for numbers and names: what has to stay while it is made smaller. */
export function kindOf({ what, difference: { path, a, b } }: Finding): string {
  const isStatus = path === "code" || path === "text" || path === "";
  const texts = isStatus ? [a, b].map((value) => textOf(value ?? null).replaceAll(/\d+/g, "n")) : [];
  return [what.replaceAll(/\d+/g, "n"), path.replaceAll(/\d+/g, "n"), ...texts].join(" | ");
}
