import assert from "node:assert/strict";
import { test } from "node:test";
import { LeaseLedger } from "../../src/store/lease/ledger.ts";

const ttlSeconds = 10;

test("a lease that is answered in its time lives for all of it again", () => {
  const ledger = new LeaseLedger({ leases: 2, ttlSeconds });
  ledger.granted(1, 1000);
  assert.deepEqual([ledger.isThere(1), ledger.isThere(2)], [true, false]);
  for (const answeredMs of [11_000, 21_000]) {
    ledger.asked();
    ledger.answered({ lease: 1, intendedMs: answeredMs - 5, answeredMs, ttlSeconds });
  }
  const { sent, answered, missed } = ledger.keepAlives;
  assert.deepEqual({ sent, answered, missed }, { sent: 2, answered: 2, missed: 0 });
});

test("an answer behind its time is a miss, and so is a lease that is gone, but once", () => {
  const ledger = new LeaseLedger({ leases: 2, ttlSeconds });
  ledger.granted(1, 0);
  ledger.granted(2, 0);
  ledger.answered({ lease: 1, intendedMs: 0, answeredMs: 10_001, ttlSeconds });
  ledger.answered({ lease: 1, intendedMs: 0, answeredMs: 10_002, ttlSeconds });
  assert.equal(ledger.keepAlives.missed, 1);
  ledger.answered({ lease: 2, intendedMs: 0, answeredMs: 5, ttlSeconds: 0 });
  assert.equal(ledger.keepAlives.missed, 2);
  assert.equal(ledger.isThere(2), false);
  ledger.unanswered(3);
  assert.equal(ledger.keepAlives.missed, 5);
});

test("latencies are those of the measured time, whenever the answer came", () => {
  const ledger = new LeaseLedger({ leases: 1, ttlSeconds });
  ledger.granted(1, 0);
  const answer = (intendedMs: number, answeredMs: number): void => {
    ledger.answered({ lease: 1, intendedMs, answeredMs, ttlSeconds });
  };
  answer(10, 20);
  ledger.measureFrom(1000);
  answer(999, 1003);
  answer(1000, 1002);
  ledger.measureUntil(2000);
  answer(1999, 2005);
  answer(2000, 2100);
  const { answered, measured, maxMs } = ledger.keepAlives;
  assert.deepEqual({ answered, measured, maxMs }, { answered: 5, measured: 2, maxMs: 6 });
});
