import assert from "node:assert/strict";
import { test } from "node:test";
import { Schedule } from "../../src/workload/schedule.ts";

function takeAll(schedule: Schedule, nowMs: number): readonly number[] {
  const taken: number[] = [];
  for (let due = schedule.takeDue(nowMs); due !== undefined; due = schedule.takeDue(nowMs)) taken.push(due);
  return taken;
}

test("calls are due evenly, the first at once", () => {
  const schedule = new Schedule({ startMs: 1000, perSecond: 500 });
  assert.deepEqual(takeAll(schedule, 999), []);
  assert.deepEqual(takeAll(schedule, 1000), [1000]);
  assert.deepEqual(takeAll(schedule, 1005), [1002, 1004]);
});

test("whoever comes late finds all that was missed, with the moments at which it was due", () => {
  const schedule = new Schedule({ startMs: 0, perSecond: 1000 });
  assert.equal(takeAll(schedule, 250).length, 251);
  assert.deepEqual(takeAll(schedule, 251.5), [251]);
});

test("a rate that divides no second evenly does not drift", () => {
  const schedule = new Schedule({ startMs: 0, perSecond: 3 });
  for (let second = 1; second <= 1000; second += 1) takeAll(schedule, second * 1000 - 1);
  assert.equal(schedule.takeDue(1_000_000), 1_000_000);
});
