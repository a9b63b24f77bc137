import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isGood, renderSummary, type Summary } from "../src/report/summary.ts";

const good: Summary = {
  seed: 42,
  members: 3,
  api: "etcd",
  seconds: 61.4,
  faults: new Map([
    ["pause", 2],
    ["kill", 1_234],
  ]),
  leftOut: new Map([["clock", "libfaketime is not installed"]]),
  workloads: [
    {
      title: "keys",
      acknowledged: 12_000,
      writes: 5_900,
      failed: 300,
      unknown: 45,
      details: "in 3 windows",
      promise: "linearizable",
      verdict: "kept",
    },
    {
      title: "locks",
      acknowledged: 100,
      writes: 20,
      failed: 0,
      unknown: 1,
      details: "taken 20 times",
      promise: "one holder at a time",
      verdict: "kept",
    },
  ],
  longestGapMs: 2_345,
  verdict: { kind: "kept", report: "" },
  state: { agree: true, hashes: ["dkv-0 aa", "dkv-1 aa"] },
  kept: undefined,
};

describe("the summary of a run", () => {
  it("counts the faults by kind, the operations by outcome, and says what was left out", () => {
    assert.equal(
      renderSummary(good),
      [
        "seed                          42",
        "members                       3",
        "clients speak                 etcd v3, and dkv.v1 for locks",
        "time                          61 s",
        "faults                        1,236",
        "  kill -9 of one member       1,234",
        "  pause of one member         2",
        "  wrong time of day           left out: libfaketime is not installed",
        "operations                    12,446",
        "  keys                        12,345: 12,000 acknowledged, 300 failed without effect, 45 unknown",
        "                              in 3 windows",
        "  locks                       101: 100 acknowledged, 0 failed without effect, 1 unknown",
        "                              taken 20 times",
        "longest time without a write  2.3 s",
        "verdict                       all that was promised was kept",
        "  keys                        linearizable",
        "  locks                       one holder at a time",
        "state of the members          all hashes are equal",
        "                              dkv-0 aa",
        "                              dkv-1 aa",
      ].join("\n"),
    );
    assert.ok(isGood(good));
  });

  it("of a bad one shows the operations, the seed, and where everything is kept", () => {
    const verdict = { kind: "violated", report: "not linearizable: get k saw nothing" } as const;
    const [keys, locks] = good.workloads;
    assert.ok(keys !== undefined && locks !== undefined);
    const workloads = [
      { ...keys, verdict: "violated" },
      { ...locks, verdict: undefined },
    ] as const;
    const bad = { ...good, verdict, workloads, state: undefined, kept: "/tmp/somewhere" };
    const text = renderSummary(bad);
    assert.match(
      text,
      /verdict +VIOLATED\n +keys +VIOLATED\n +locks +not judged to the end\nstate of the members +not compared\n/,
    );
    assert.match(text, /\n\nnot linearizable: get k saw nothing\n/);
    assert.match(text, /kept in \/tmp\/somewhere\.\n.*make chaos SEED=42 and the same flags/);
    assert.equal(isGood(bad), false);
  });

  it("is not good if one of the workloads has written nothing, whatever the judge says of that", () => {
    for (const title of ["keys", "locks"]) {
      const workloads = good.workloads.map((one) => (one.title === title ? { ...one, writes: 0 } : one));
      const idle = { ...good, workloads };
      assert.equal(isGood(idle), false);
      const text = renderSummary(idle);
      assert.match(text, /verdict +NOT KNOWN\n/);
      assert.match(text, new RegExp(`  ${title} +NOT KNOWN: not one write was acknowledged\n`));
    }
  });

  it("is not good if members differ, do not answer, or the history could not be judged", () => {
    assert.equal(isGood({ ...good, state: { agree: false, hashes: [] } }), false);
    assert.equal(isGood({ ...good, state: undefined }), false);
    for (const kind of ["undecided", "unreadable", "trouble"] as const) {
      assert.equal(isGood({ ...good, verdict: { kind, report: "why" } }), false);
    }
  });
});
