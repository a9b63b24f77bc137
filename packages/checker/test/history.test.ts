import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Recorder } from "../src/index.ts";

describe("a recorder", () => {
  it("notes who asked what, when it was called, and how and when it ended", () => {
    let now = 0;
    const recorder = new Recorder<string, number>(() => now);
    const [first, second, third] = ["get", "set", "delete"].map((action, at) => {
      now = at;
      return recorder.begin(`c${at}`, action);
    });
    recorder.begin("c9", "never answered");
    now = 5;
    third?.unknown();
    second?.failed();
    now = 7;
    first?.ok(42);
    assert.deepEqual(recorder.history(), [
      { client: "c0", action: "get", calledAt: 0, outcome: { kind: "ok", at: 7, result: 42 } },
      { client: "c1", action: "set", calledAt: 1, outcome: { kind: "failed", at: 5 } },
      { client: "c2", action: "delete", calledAt: 2, outcome: { kind: "unknown" } },
      { client: "c9", action: "never answered", calledAt: 2, outcome: { kind: "unknown" } },
    ]);
  });

  it("refuses to let an operation end twice", () => {
    const pending = new Recorder<string, number>(() => 0).begin("c0", "get");
    pending.failed();
    assert.throws(() => pending.ok(1), /settled twice/);
  });
});
