/** The intervals of keys that a transaction of etcd deletes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toByteString } from "@dkv/store";
import fc from "fast-check";
import { IntervalSet } from "../../src/api/etcd-v3/intervals.ts";

const text = (key: string) => toByteString(Buffer.from(key, "latin1"));

describe("a set of intervals", () => {
  it("has the keys of each, whatever sets they come from, and no others", () => {
    const key = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 3 });
    const intervals = fc.array(fc.tuple(key, key), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(intervals, { maxLength: 8 }), fc.array(key), (sets, asked) => {
        const all = new IntervalSet();
        const known: (readonly [string, string])[] = [];
        for (const [at, list] of sets.entries()) {
          const own = new IntervalSet();
          for (const [from, before] of list) (at % 2 === 0 ? own : all).add(text(from), text(before));
          all.addAll(own);
          known.push(...list);
          for (const one of asked) {
            const isIn = known.some(([from, before]) => from <= one && one < before);
            assert.equal(all.has(text(one)), isIn, `${one} after ${JSON.stringify(known)}`);
          }
        }
      }),
    );
  });

  it("takes as many from another one as the largest request may have", () => {
    const nested = new IntervalSet();
    const count = 200_000;
    for (let at = 0; at < count; at += 1) nested.add(text(`${String(at)} `), text(`${String(at)}!`));
    const all = new IntervalSet();
    all.addAll(nested);
    assert.deepEqual([all.has(text(`${String(count - 1)} `)), all.has(text("x"))], [true, false]);
  });
});
