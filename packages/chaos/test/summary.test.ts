import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isGood, renderSummary, type Summary } from "../src/report/summary.ts";

const good: Summary = {
  seed: 42,
  members: 3,
  seconds: 61.4,
  faults: new Map([
    ["pause", 2],
    ["kill", 1_234],
  ]),
  leftOut: new Map([["clock", "libfaketime is not installed"]]),
  operations: 12_345,
  acknowledged: 12_000,
  writes: 5_900,
  failed: 300,
  unknown: 45,
  windows: 3,
  longestGapMs: 2_345,
  verdict: { kind: "linearizable", report: "" },
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
        "time                          61 s",
        "faults                        1,236",
        "  kill -9 of one member       1,234",
        "  pause of one member         2",
        "  wrong time of day           left out: libfaketime is not installed",
        "operations                    12,345 in 3 windows",
        "  acknowledged                12,000",
        "  failed, without effect      300",
        "  unknown                     45",
        "longest time without a write  2.3 s",
        "verdict                       linearizable, nothing acknowledged is missing",
        "state of the members          all hashes are equal",
        "                              dkv-0 aa",
        "                              dkv-1 aa",
      ].join("\n"),
    );
    assert.ok(isGood(good));
  });

  it("of a bad one shows the operations, the seed, and where everything is kept", () => {
    const verdict = { kind: "violated", report: "not linearizable: get k saw nothing" } as const;
    const bad = { ...good, verdict, state: undefined, kept: "/tmp/somewhere" };
    const text = renderSummary(bad);
    assert.match(text, /verdict +VIOLATED\nstate of the members +not compared\n/);
    assert.match(text, /\n\nnot linearizable: get k saw nothing\n/);
    assert.match(text, /kept in \/tmp\/somewhere\.\n.*make chaos SEED=42 and the same flags/);
    assert.equal(isGood(bad), false);
  });

  it("is not good if nothing was written, whatever the judge says of that", () => {
    const idle = { ...good, acknowledged: 900, writes: 0 };
    assert.equal(isGood(idle), false);
    assert.match(renderSummary(idle), /verdict +NOT KNOWN: not one write was acknowledged\n/);
  });

  it("is not good if members differ, do not answer, or the history could not be judged", () => {
    assert.equal(isGood({ ...good, state: { agree: false, hashes: [] } }), false);
    assert.equal(isGood({ ...good, state: undefined }), false);
    for (const kind of ["undecided", "unreadable", "trouble"] as const) {
      assert.equal(isGood({ ...good, verdict: { kind, report: "why" } }), false);
    }
  });
});
