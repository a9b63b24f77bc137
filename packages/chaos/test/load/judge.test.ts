import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RegisterAction, RegisterHistory, RegisterOperation, RegisterResult } from "@dkv/checker";
import { Archive } from "../../src/load/archive.ts";
import { judge } from "../../src/load/judge.ts";
import { Tally } from "../../src/load/tally.ts";
import { padded, unpadded } from "../../src/load/values.ts";
import { Window } from "../../src/load/window.ts";

const key = "1/0";

function set(value: string, from: number, to: number): RegisterOperation {
  return {
    client: "w",
    action: { kind: "set", key, value },
    calledAt: from,
    outcome: { kind: "ok", at: to, result: {} },
  };
}

function get(value: string | undefined, from: number, to: number): RegisterOperation {
  return {
    client: "r",
    action: { kind: "get", key },
    calledAt: from,
    outcome: { kind: "ok", at: to, result: { value } },
  };
}

function unknown(value: string, from: number): RegisterOperation {
  return { client: "w", action: { kind: "set", key, value }, calledAt: from, outcome: { kind: "unknown" } };
}

describe("the judge of a window", () => {
  it("is content with an order that exists, whatever is unknown", async () => {
    const history: RegisterHistory = [set("a", 0, 1), unknown("b", 2), get("a", 3, 4), get("b", 5, 6)];
    assert.deepEqual(await judge(history, new Map([[key, "b"]])), { kind: "linearizable" });
  });

  it("finds a stale read, and shows it", async () => {
    const history = [set("a", 0, 1), set("b", 2, 3), get("a", 4, 5), get("b", 6, 7)];
    const judgement = await judge(history, new Map([[key, "b"]]));
    assert.equal(judgement.kind, "violated");
    assert.match(judgement.kind === "violated" ? judgement.report : "", /get 1\/0 saw "a"/);
  });

  it("names an acknowledged write that is missing, and a value that nobody wrote", async () => {
    const lost = await judge([set("a", 0, 1), set("b", 2, 3), get("a", 4, 5)], new Map([[key, "a"]]));
    assert.match(lost.kind === "violated" ? lost.report : "", /holds "a" in the end.*missing:\n.*"b"/);
    const foreign = await judge([set("a", 0, 1), get("z", 4, 5)], new Map([[key, "z"]]));
    assert.match(foreign.kind === "violated" ? foreign.report : "", /nobody has written that/);
  });
});

describe("the archive of keys that are left alone", () => {
  it("allows what was there in the end, or what was not known to have failed, and nothing else", () => {
    const archive = new Archive();
    archive.add([set("a", 0, 1), unknown("b", 2)], new Map([[key, "a"]]));
    assert.deepEqual(archive.keys, [key]);
    assert.equal(archive.complaint(key, "a"), undefined);
    assert.equal(archive.complaint(key, "b"), undefined);
    assert.match(
      archive.complaint(key, undefined) ?? "",
      /left alone with "a" or "b", and holds nothing now/,
    );
    assert.match(archive.complaint(key, "c") ?? "", /holds "c" now/);
  });

  it("forgets the oldest keys instead of growing without end", () => {
    const archive = new Archive();
    for (let at = 0; at < 3_000; at += 1) {
      const action = { kind: "set", key: String(at), value: "v" } as const;
      archive.add([{ ...set("v", 0, 1), action }], new Map());
    }
    assert.equal(archive.keys.length, 2_000);
    assert.equal(archive.keys[0], "1000");
  });
});

describe("a window", () => {
  it("has settled when everything that was begun has ended", async () => {
    const window = new Window<RegisterAction, RegisterResult>(["3/0", "3/1"], () => performance.now());
    await window.settled();
    const one = window.begin("a", { kind: "get", key: "3/0" });
    const other = window.begin("b", { kind: "get", key: "3/1" });
    let isSettled = false;
    const settled = window.settled().then(() => {
      isSettled = true;
    });
    one.pending.ok({ value: undefined });
    one.end();
    await Promise.resolve();
    assert.equal(isSettled, false);
    other.pending.unknown();
    other.end();
    await settled;
    assert.deepEqual(
      window.history().map(({ outcome }) => outcome.kind),
      ["ok", "unknown"],
    );
  });
});

describe("the tally", () => {
  it("knows the longest time without a write, the present one included", () => {
    const tally = new Tally(100);
    tally.wrote(150);
    tally.wrote(450);
    tally.wrote(500);
    assert.equal(tally.gapMs(600), 300);
    assert.equal(tally.gapMs(1_000), 500);
  });
});

describe("a filled-up value", () => {
  it("is read back as what was written, and a damaged one as it is", () => {
    for (const value of ["0-1", "11-4711"]) assert.equal(unpadded(padded(value)), value);
    const damaged = padded("11-4711").replace("x", "y");
    assert.equal(unpadded(damaged), damaged);
    assert.equal(unpadded("strange"), "strange");
  });
});
