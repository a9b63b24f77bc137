import fc from "fast-check";

/** Something that happens in a random schedule. Numbers choose among what there is at that moment. */
export type Action =
  | NodeAction
  | NetworkAction
  | { readonly kind: "tick"; readonly at: number; readonly times: number }
  | { readonly kind: "pass"; readonly times: number }
  | { readonly kind: "restart"; readonly at: number }
  | { readonly kind: "transfer"; readonly to: number };

/** Happens to a node if it is up. */
export type NodeAction =
  | { readonly kind: "crash"; readonly at: number; readonly write: "lost" | "kept" }
  | { readonly kind: "propose"; readonly at: number; readonly count: number; readonly length: number }
  | {
      readonly kind: "campaign" | "slow" | "fast" | "persist" | "save" | "read";
      readonly at: number;
    };

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
  readonly nodes: number;
  /** Whether the limits are so low that they are reached all the time. */
  readonly limits: "tight" | "wide";
  /** Of the election timeouts. */
  readonly seed: number;
  readonly actions: readonly Action[];
}

const at = fc.nat(4);
const position = fc.nat(1000);
const times = fc.integer({ min: 1, max: 8 });

function one<Kind extends string | number>(...kinds: readonly Kind[]): fc.Arbitrary<Kind> {
  return fc.constantFrom(...kinds);
}

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
  { weight: 3, arbitrary: fc.record({ kind: one("partition"), side: fc.nat(31) }) },
  { weight: 5, arbitrary: fc.record({ kind: one("heal") }) },
  { weight: 3, arbitrary: fc.record({ kind: one("crash"), at, write: one("lost", "kept") }) },
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
);

export const schedules: fc.Arbitrary<Schedule> = fc.record({
  nodes: one(1, 2, 3, 3, 3, 4, 5, 5),
  limits: one("tight", "wide"),
  seed: fc.nat(),
  actions: fc.array(action, { minLength: 50, maxLength: 200, size: "max" }),
});
