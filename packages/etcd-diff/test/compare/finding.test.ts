import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { differenceOf } from "../../src/compare/difference.ts";
import { firstFinding, kindOf, type Played } from "../../src/compare/finding.ts";
import type { Plain } from "../../src/message/plain.ts";

const steps = [
  { call: "KV/Put", request: { key: "a" } },
  { call: "KV/Range", request: { key: "a" } },
];

function played(
  given: Partial<Played> & { readonly watched?: readonly Plain[]; readonly fault?: string },
): Played {
  return {
    answers: given.answers ?? [{ revision: 2 }, { count: 1 }],
    deliveries: {
      watchers: new Map([[3, given.watched ?? ["first", "second"]]]),
      faults: given.fault === undefined ? [] : [given.fault],
    },
    endedAt: given.endedAt,
  };
}

describe("a difference", () => {
  it("is the first place where two values are not alike", () => {
    const a = { header: { revision: 3 }, kvs: [{ key: "a", version: 1 }, { key: "b" }] };
    const b = { header: { revision: 3 }, kvs: [{ key: "a", version: 2 }, { key: "c" }] };
    assert.deepEqual(differenceOf(a, b), { path: "kvs.0.version", a: 1, b: 2 });
    assert.equal(differenceOf(a, structuredClone(a)), undefined);
  });

  it("is a field that only one has, on either side", () => {
    assert.deepEqual(differenceOf({}, { more: true }), { path: "more", a: undefined, b: true });
    assert.deepEqual(differenceOf({ kvs: ["a"] }, { kvs: [] }), { path: "kvs.0", a: "a", b: undefined });
  });

  it("is a list in the place of a message, even of an empty one", () => {
    assert.deepEqual(differenceOf({ x: [] }, { x: {} })?.path, "x");
  });
});

describe("a finding", () => {
  it("is none where everything is alike", () => {
    assert.equal(firstFinding([played({}), played({})], steps, 10), undefined);
  });

  it("is the first answer that differs, by its place in the stream", () => {
    const other = played({ answers: [{ revision: 2 }, { count: 0 }], watched: [] });
    const finding = firstFinding([played({}), other], steps, 10);
    assert.equal(finding?.at, 11);
    assert.equal(finding?.what, "KV/Range");
  });

  it("is what one watcher got and the other did not", () => {
    const finding = firstFinding([played({}), played({ watched: ["first"] })], steps, 10);
    assert.match(finding?.what ?? "", /by the 3\. Watch\/create/);
    assert.deepEqual(finding?.difference, { path: "1", a: "second", b: undefined });
  });

  it("is a fault, even if both have it", () => {
    const fault = "watcher 2 gets revision 3 after 4";
    assert.deepEqual(firstFinding([played({ fault }), played({ fault })], steps, 0)?.a, [fault]);
  });

  it("is above all that one has ended", () => {
    const gone = played({ answers: [{ revision: 2 }, { code: "no status" }], endedAt: 1 });
    const finding = firstFinding([played({}), gone], steps, 10);
    assert.equal(finding?.at, 11);
    assert.equal(finding?.what, "an ending");
  });

  it("is of the same kind with other numbers, and of another with another text", () => {
    const found = (text: string) =>
      firstFinding([played({ answers: [{ text: "" }] }), played({ answers: [{ text }] })], steps, 0) ??
      assert.fail();
    assert.equal(kindOf(found("no member 17")), kindOf(found("no member 4")));
    assert.notEqual(kindOf(found("no member 17")), kindOf(found("no such thing")));
  });
});
