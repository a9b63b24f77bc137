import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { WatchEvent } from "@dkv/server/consensus/member";
import { Watched } from "../../src/checkers/watched.ts";
import { toKeyValue } from "../../src/checkers/select.ts";
import { Truth } from "../../src/checkers/truth.ts";
import { remove, set } from "./fixtures.ts";

/** Revisions 2 to 5: a is set twice, b once, then a is deleted. */
function stage(from: number, wantPrevious = false) {
  const truth = new Truth();
  for (const [at, data] of [set("a", "1"), set("a", "2"), set("b", "1"), remove("a")].entries())
    truth.applied({ index: at + 1, term: 1, data });
  const watched = new Watched(truth, {
    interval: { from: "a", before: "b" },
    startRevision: 0,
    wantPrevious,
    wantSets: true,
    wantDeletes: true,
  });
  const teller = { revision: 5, compaction: { revision: 0 } };
  watched.began(from - 1, { ...teller, revision: from - 1 });
  const events = (...revisions: readonly number[]): WatchEvent[] =>
    truth.store.changes.flat().flatMap(({ key, revision, version, previous }) => {
      if (!revisions.includes(revision)) return [];
      const place = { modRevision: revision, sub: 0 };
      const made =
        version === undefined
          ? ({ isDeleted: true, ...place } as const)
          : ({ isDeleted: false, ...version, ...place } as const);
      const before = wantPrevious && previous ? toKeyValue([key, previous]) : undefined;
      return [{ change: { key, made, previous: undefined }, previous: before }];
    });
  return { watched, teller, events };
}

describe("a watch", () => {
  it("may be told of several revisions at once, or of each by itself", () => {
    const { watched, teller, events } = stage(2, true);
    watched.heard({ revision: 2, events: events(2) }, teller);
    watched.heard({ revision: 5, events: events(3, 5) }, teller);
    watched.told(5);
    assert.deepEqual([watched.events, watched.next], [3, 6]);
  });

  it("goes on elsewhere where it was", () => {
    const { watched, teller, events } = stage(3);
    watched.heard({ revision: 3, events: events(3) }, teller);
    assert.equal(watched.spec.startRevision, 4);
    watched.began(3, teller);
    assert.throws(() => watched.began(4, teller), /begins behind 4, and should behind 3/);
  });

  const wrong: Readonly<Record<string, readonly number[]>> = {
    "misses one": [3],
    "is told of one out of order": [3, 2],
    "is told of one twice": [2, 2, 3],
    "is told of another's": [2, 3, 4],
  };
  for (const [words, revisions] of Object.entries(wrong))
    it(`is seen if it ${words}`, () => {
      const { watched, teller, events } = stage(2);
      const told = revisions.flatMap((revision) => events(revision));
      assert.throws(() => watched.heard({ revision: 3, events: told }, teller), /a watch was told \[/);
    });

  it("is seen if it is told that there is nothing, and there was something", () => {
    const { watched } = stage(2);
    assert.throws(() => watched.told(2), /nothing is left up to 2, and not of a@2=1/);
  });

  it("is seen if it is told of what the member has not applied", () => {
    const { watched, teller, events } = stage(2);
    const behind = { ...teller, revision: 1 };
    assert.throws(() => watched.heard({ revision: 2, events: events(2) }, behind), /member that is at 1/);
  });

  it("is seen if it is told of another value before, or of none where history is left", () => {
    const { watched, teller, events } = stage(2, true);
    watched.heard({ revision: 2, events: events(2) }, teller);
    const [event] = events(3);
    assert.ok(event !== undefined);
    const without = [{ ...event, previous: undefined }];
    assert.throws(() => watched.heard({ revision: 3, events: without }, teller), /another value before/);
    const given = { ...teller, compaction: { revision: 3 } };
    watched.heard({ revision: 3, events: without }, given);
  });

  it("ends as compacted only if what comes next was given up", () => {
    const { watched, teller } = stage(2);
    const given = { ...teller, compaction: { revision: 3 } };
    assert.throws(() => watched.compacted(3, teller), /from 2 on ended as compacted to 3/);
    assert.throws(() => watched.compacted(2, given), /ended as compacted to 2/);
    watched.compacted(3, given);
    assert.equal(watched.next, 3);
  });
});
