import assert from "node:assert/strict";
import { test } from "node:test";
import { type Change, isWithin } from "@dkv/store";
import fc from "fast-check";
import { WatchIndex } from "../../../src/consensus/watch/watch-index.ts";
import type { Outlet, Watcher } from "../../../src/consensus/watch/watcher.ts";
import { prefix } from "./world.ts";

const outlet: Outlet = {
  isFull: false,
  push: () => assert.fail(),
  park: () => assert.fail(),
  compacted: () => assert.fail(),
  advanced: () => assert.fail(),
};

const interval = fc.constantFrom(
  { from: "a", before: "a\0" },
  { from: "b", before: "b\0" },
  { from: "a", before: "b" },
  { from: "a", before: undefined },
);

const watcher = fc.record({ interval, wantDeletes: fc.boolean(), next: fc.constantFrom(1, 5, 6) });

/** One set and one delete, of revision 5. */
const changes: readonly Change[] = [
  { key: "a", made: { isDeleted: true, modRevision: 5, sub: 0 }, previous: { revision: 2, sub: 0 } },
  {
    key: "b",
    made: { isDeleted: false, createRevision: 5, modRevision: 5, sub: 1, version: 1, lease: 0n, value: "1" },
    previous: undefined,
  },
];

test("an index tells those who want a change, whoever comes and goes, even while it tells", () => {
  fc.assert(
    fc.property(fc.array(watcher, { maxLength: 40 }), fc.array(fc.nat(39)), (sketches, leaving) => {
      const index = new WatchIndex();
      const all = sketches.map(({ next, ...wanted }, id): Watcher => {
        const spec = { ...prefix(""), ...wanted };
        return { id, spec, outlet, state: "follows", next, group: undefined, slot: 0 };
      });
      for (const each of all) index.add(each);
      const present = new Set(all);
      for (const id of leaving) {
        const gone = all[id];
        if (gone === undefined || !present.delete(gone)) continue;
        index.remove(gone);
        // Some come back.
        if (id % 3 === 0) {
          present.add(gone);
          index.add(gone);
        }
      }
      for (const isLeaving of [true, false]) {
        const expected = [...present].flatMap(({ id, spec, next }) => {
          const wanted = changes.filter(
            ({ key, made }) => isWithin(key, spec.interval) && (spec.wantDeletes || !made.isDeleted),
          );
          return next <= 5 && wanted.length > 0 ? [[id, wanted]] : [];
        });
        const told: unknown[] = [];
        index.tell(5, changes, (each, batch) => {
          told.push([each.id, batch.changes]);
          if (!isLeaving || each.id % 2 === 0) return;
          index.remove(each);
          present.delete(each);
        });
        assert.deepEqual(new Map(told as [number, unknown][]), new Map(expected as [number, unknown][]));
        assert.equal(told.length, expected.length, "each once");
      }
    }),
  );
});
