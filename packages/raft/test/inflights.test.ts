import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantViolation } from "../src/assert.ts";
import { Inflights } from "../src/tracker/inflights.ts";
import { logIndex } from "../src/types.ts";

test("the window is full at its number of messages", () => {
  const window = new Inflights(2, 1000);
  window.add(logIndex(3), 1);
  assert.equal(window.isFull, false);
  window.add(logIndex(5), 1);
  assert.equal(window.isFull, true);
  assert.throws(() => {
    window.add(logIndex(6), 1);
  }, InvariantViolation);
});

test("the append that reaches the limit of bytes is the last", () => {
  const window = new Inflights(10, 100);
  window.add(logIndex(1), 99);
  assert.equal(window.isFull, false);
  window.add(logIndex(2), 500);
  assert.equal(window.isFull, true);
});

test("appends in the window rise", () => {
  const window = new Inflights(4, 100);
  window.add(logIndex(5), 1);
  assert.throws(() => {
    window.add(logIndex(5), 1);
  }, InvariantViolation);
});

test("the ring behaves like a list of what is not acknowledged", () => {
  const action = fc.oneof(
    fc.record({
      kind: fc.constant("add" as const),
      entries: fc.integer({ min: 1, max: 5 }),
      size: fc.nat(40),
    }),
    fc.record({ kind: fc.constant("free" as const), match: fc.nat(60) }),
    fc.record({ kind: fc.constant("clear" as const) }),
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const window = new Inflights(4, 100);
      let model: { last: number; size: number }[] = [];
      let last = 0;
      for (const one of actions) {
        if (one.kind === "clear") {
          window.clear();
          model = [];
        } else if (one.kind === "free") {
          window.freeTo(logIndex(one.match));
          model = model.filter((append) => append.last > one.match);
        } else if (!window.isFull) {
          last += one.entries;
          window.add(logIndex(last), one.size);
          model.push({ last, size: one.size });
        }
        const bytes = model.reduce((sum, { size }) => sum + size, 0);
        assert.equal(window.count, model.length);
        assert.equal(window.bytes, bytes);
        assert.equal(window.isFull, model.length === 4 || bytes >= 100);
      }
    }),
  );
});
