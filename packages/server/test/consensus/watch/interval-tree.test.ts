import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Interval, isWithin } from "@dkv/store";
import fc from "fast-check";
import { IntervalTree } from "../../../src/consensus/watch/interval-tree.ts";
import { inOrder } from "./world.ts";

const text = fc.string({ unit: fc.constantFrom("\0", "a", "b", "\xff"), maxLength: 3 });
const interval: fc.Arbitrary<Interval> = fc.record({
  from: text,
  before: fc.option(text, { nil: undefined }),
});

const nameOf = ({ from, before }: Interval): string => JSON.stringify([from, before]);

describe("an interval tree", () => {
  it("finds the intervals that have a key, as a look at all of them does", () => {
    fc.assert(
      fc.property(fc.array(interval, { maxLength: 60 }), fc.array(text), (toggled, keys) => {
        const tree = new IntervalTree<string>();
        const all = new Map<string, Interval>();
        for (const each of toggled) {
          const name = nameOf(each);
          assert.equal(tree.get(each), all.has(name) ? name : undefined);
          if (all.delete(name)) tree.delete(each);
          else {
            all.set(name, each);
            tree.add(each, name);
          }
          for (const key of keys) {
            const found: string[] = [];
            tree.visit(key, (value) => found.push(value));
            const expected = [...all.values()].filter((one) => isWithin(key, one)).map(nameOf);
            assert.deepEqual(inOrder(found), inOrder(expected));
          }
        }
      }),
    );
  });

  it("takes many intervals in their order, and does not look at all of them for a key", () => {
    const tree = new IntervalTree<number>();
    const count = 100_000;
    const name = (at: number): string => String(at).padStart(6, "0");
    let comparisons = 0;
    // Counts how often the tree looks at where an interval begins.
    const counted = (at: number): Interval => ({
      get from() {
        comparisons += 1;
        return name(at);
      },
      before: name(at + 1),
    });
    for (let at = 0; at < count; at += 1) tree.add(counted(at), at);
    comparisons = 0;
    const found: number[] = [];
    tree.visit(name(count / 2), (value) => found.push(value));
    assert.deepEqual(found, [count / 2]);
    assert.ok(comparisons < 100, `${String(comparisons)} intervals were looked at`);
  });
});
