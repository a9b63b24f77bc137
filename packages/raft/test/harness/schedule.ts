import fc from "fast-check";
import type { MemberChange } from "../../src/configuration/change.ts";
import type { WriteFate } from "./disk.ts";

/** Something that happens in a random schedule. Numbers choose among what there is at that moment. */
export type Action =
  | NodeAction
  | NetworkAction
  | SnapshotAction
  | { readonly kind: "tick"; readonly at: number; readonly times: number }
  | { readonly kind: "pass"; readonly times: number }
  | { readonly kind: "restart"; readonly at: number }
  | { readonly kind: "transfer"; readonly to: number }
  | { readonly kind: "reconfigure"; readonly changes: readonly Change[] };

/** A change at one of the nodes. */
export interface Change {
  readonly kind: MemberChange["kind"];
  readonly at: number;
}

/** Happens to a node if it is up. */
export type NodeAction =
  | { readonly kind: "crash"; readonly at: number; readonly write: WriteFate }
  /** Drops a part of what may be dropped from the log, in percent. */
  | { readonly kind: "compact"; readonly at: number; readonly part: number }
  | { readonly kind: "propose"; readonly at: number; readonly count: number; readonly length: number }
  | {
      readonly kind: "campaign" | "slow" | "fast" | "persist" | "save" | "read";
      readonly at: number;
    };

/** Happens to snapshots that are wanted, or on their way. */
export type SnapshotAction =
  | { readonly kind: "sendSnapshot"; readonly position: number }
  /** To somebody who did not need one. */
  | { readonly kind: "pushSnapshot"; readonly to: number }
  | { readonly kind: "deliverSnapshot" | "loseSnapshot"; readonly position: number }
  /** It arrives now, and once more later. */
  | { readonly kind: "repeatSnapshot"; readonly position: number };

/** Happens to messages. */
export type NetworkAction =
  | { readonly kind: "deliverInOrder"; readonly count: number }
  | { readonly kind: "deliverAt" | "dropAt" | "duplicateAt"; readonly position: number }
  | { readonly kind: "cut"; readonly from: number; readonly to: number }
  | { readonly kind: "isolate"; readonly at: number }
  /** Nodes whose bits in `side` differ do not hear each other. */
  | { readonly kind: "partition"; readonly side: number }
  | { readonly kind: "heal" };

export interface Schedule {
  /** How many voters the cluster begins with. */
  readonly nodes: number;
  /** How many nodes may be added, unless there are six. */
  readonly outside: number;
  /** Whether the limits are so low that they are reached all the time. */
  readonly limits: "tight" | "wide";
  /** Of the election timeouts. */
  readonly seed: number;
  readonly actions: readonly Action[];
}

const at = fc.nat(5);
const position = fc.nat(1000);
const times = fc.integer({ min: 1, max: 8 });

function one<Kind extends string | number>(...kinds: readonly Kind[]): fc.Arbitrary<Kind> {
  return fc.constantFrom(...kinds);
}

const changes = fc.array(fc.record({ kind: one("addVoter", "addVoter", "addLearner", "remove"), at }), {
  minLength: 1,
  maxLength: 3,
});

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: one("tick"), at, times }) },
  { weight: 9, arbitrary: fc.record({ kind: one("pass"), times }) },
  {
    weight: 12,
    arbitrary: fc.record({ kind: one("deliverInOrder"), count: fc.integer({ min: 1, max: 20 }) }),
  },
  { weight: 8, arbitrary: fc.record({ kind: one("deliverAt", "dropAt", "duplicateAt"), position }) },
  { weight: 2, arbitrary: fc.record({ kind: one("cut"), from: at, to: at }) },
  { weight: 2, arbitrary: fc.record({ kind: one("isolate"), at }) },
  { weight: 3, arbitrary: fc.record({ kind: one("partition"), side: fc.nat(63) }) },
  { weight: 5, arbitrary: fc.record({ kind: one("heal") }) },
  { weight: 3, arbitrary: fc.record({ kind: one("crash"), at, write: one("lost", "kept", "installed") }) },
  { weight: 5, arbitrary: fc.record({ kind: one("restart"), at }) },
  { weight: 10, arbitrary: fc.record({ kind: one("slow", "fast", "persist", "persist", "save"), at }) },
  { weight: 2, arbitrary: fc.record({ kind: one("campaign"), at }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: one("propose"),
      at,
      count: fc.integer({ min: 1, max: 3 }),
      length: fc.nat(6),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: one("read"), at }) },
  { weight: 2, arbitrary: fc.record({ kind: one("transfer"), to: at }) },
  { weight: 6, arbitrary: fc.record({ kind: one("reconfigure"), changes }) },
  { weight: 6, arbitrary: fc.record({ kind: one("compact"), at, part: one(50, 100, 100) }) },
  {
    weight: 10,
    arbitrary: fc.record({
      kind: one(
        "sendSnapshot",
        "sendSnapshot",
        "deliverSnapshot",
        "deliverSnapshot",
        "loseSnapshot",
        "repeatSnapshot",
      ),
      position,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: one("pushSnapshot"), to: at }) },
);

export const schedules: fc.Arbitrary<Schedule> = fc.record({
  nodes: one(1, 2, 3, 3, 3, 4, 5, 5),
  outside: fc.nat(3),
  limits: one("tight", "wide"),
  seed: fc.nat(),
  actions: fc.array(action, { minLength: 50, maxLength: 200, size: "max" }),
});
