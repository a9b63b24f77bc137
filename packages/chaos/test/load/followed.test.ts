import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Followed, judgeFollowed, type Told, type Write } from "../../src/load/followed.ts";

const set = (key: string, value: string) => ({ key, value });
const acknowledged = (revision: number, ...changes: Write["changes"]): Write => ({
  changes,
  outcome: { kind: "ok", revision },
});
const unknown = (...changes: Write["changes"]): Write => ({ changes, outcome: { kind: "unknown" } });
const told = (revision: number, ...changes: Write["changes"]): Told => ({
  revision,
  events: changes.map((change) => ({ ...change, revision })),
});
const deleted = (key: string) => ({ key, value: undefined });

const record: readonly Told[] = [
  { revision: 10, events: [] },
  told(11, set("a", "1")),
  told(12, set("a", "2"), set("b", "3")),
  told(14, deleted("b")),
];

const sound: Followed = {
  told: [record, [told(11, set("a", "1")), ...record.slice(2)]],
  writes: [
    acknowledged(11, set("a", "1")),
    acknowledged(12, set("a", "2"), set("b", "3")),
    acknowledged(13),
    unknown(deleted("b")),
    unknown(set("a", "4")),
  ],
  since: 10,
  before: new Map([["old", { value: "0", revision: 9 }]]),
  found: new Map([
    ["old", { value: "0", revision: 9 }],
    ["a", { value: "2", revision: 12 }],
  ]),
};

/** What the judge says if all watches were told that. */
function reportOf(change: Partial<Followed>): string {
  const verdict = judgeFollowed({ ...sound, ...change });
  assert.equal(verdict.kind, "violated");
  return verdict.kind === "violated" ? verdict.report : "";
}
const ifTold = (...one: readonly Told[]): string => reportOf({ told: [one, one] });
const without = (at: number): readonly Told[] => record.filter((_, index) => index !== at);

describe("the judge of watches", () => {
  it("is content with everything in order, and names what may still come", () => {
    assert.deepEqual(judgeFollowed(sound), { kind: "complete", open: [unknown(set("a", "4"))] });
  });

  it("misses a change that one was not told, or all", () => {
    assert.match(
      reportOf({ told: [record, without(1)] }),
      /watch 0 was told a=1 of revision 11, watch 1 a=2 of revision 12/,
    );
    assert.match(reportOf({ told: [record, record.slice(0, -1)] }), /watch 1 nothing in its place/);
    assert.match(ifTold(...without(1)), /write of a=1 made revision 11, which was told as nothing/);
  });

  it("misses the half of a revision", () => {
    const half = told(12, set("a", "2"));
    assert.match(ifTold(...record.with(2, half)), /a=2, b=3 made revision 12, which was told as a=2$/);
  });

  it("finds what was told twice, too late, or after it was said that nothing is left", () => {
    assert.match(
      ifTold(...record, told(12, set("a", "2"))),
      /a=2 of revision 12 was told between revisions 14/,
    );
    const twice = told(12, set("a", "2"), set("b", "3"), set("b", "3"));
    assert.match(ifTold(...record.with(2, twice)), /b=3 of revision 12 was told twice/);
    assert.match(ifTold({ revision: 11, events: [] }, ...record), /a=1 of revision 11 was told between/);
    const swapped = {
      revision: 12,
      events: [...told(12, set("a", "2")).events, ...told(11, set("a", "1")).events],
    };
    assert.match(ifTold(swapped, ...record.slice(3)), /a=1 of revision 11 was told too late/);
    assert.match(reportOf({ since: 11 }), /a=1 of revision 11 was told between revisions 11/);
  });

  it("finds what nobody has written, or what was written once and told of two revisions", () => {
    assert.match(ifTold(...record, told(15, set("a", "9"))), /revision 15 was told as a=9, which nobody/);
    assert.match(
      ifTold(...record, told(15, deleted("b"))),
      /revision 15 was told as b deleted, which nobody/,
    );
    assert.match(ifTold(...record, told(15, set("a", "1"))), /revision 15 was told as a=1, which nobody/);
  });

  it("finds that keys hold something else in the end", () => {
    const found = new Map([...sound.found, ["a", { value: "1", revision: 11 }]]);
    assert.match(
      reportOf({ found }),
      /a holds 1 of revision 11; by what watches were told, 2 of revision 12/,
    );
    assert.match(reportOf({ found: new Map() }), /old holds nothing; .* 0 of revision 9/);
  });
});
