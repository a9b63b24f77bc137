import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { simulate, SoakSummary, successLine } from "./load.ts";

describe("a run whose history is too hard to judge", () => {
  it("is undecided, which is no failure and is said", async () => {
    const [hard, easy] = [await simulate({ seed: 42, searchSteps: 1 }), await simulate({ seed: 42 })];
    assert.deepEqual([hard.violation, hard.isUndecided], [undefined, true]);
    assert.deepEqual([easy.violation, easy.isUndecided], [undefined, false]);
    assert.match(successLine(hard), /; undecided: the search .* was given up$/);
    assert.doesNotMatch(successLine(easy), /undecided/);
    const summary = new SoakSummary();
    summary.add(easy);
    assert.ok(summary.lines(1000).includes("undecided            none"));
    summary.add(hard);
    assert.ok(summary.lines(1000).includes("undecided            1: seeds 42"));
    assert.deepEqual(summary.failed, []);
  });
});
