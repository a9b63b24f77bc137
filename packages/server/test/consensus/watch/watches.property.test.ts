/**
 * A leader and a member that lags behind, takes over its state now and then, and has watches whose clients
 * read when they like. What each of them was told is held against the list of all changes.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { WatchLimits } from "../../../src/consensus/watch/hub.ts";
import { Client, Members } from "./clients.ts";
import { compact, del, expire, grant, removeHistory, set, txn } from "./commands.ts";
import { narrow, prefix, roomy } from "./world.ts";

/** Until nothing that was handed out is on its way any more: then doors create watches, and cancel them. */
const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

type Step = (members: Members, clients: Client[]) => Promise<void> | void;

const someKey = fc.constantFrom("a", "ab", "b", "b\0", "c");
const value = fc.nat(99).map(String);
const lease = fc.constantFrom(0n, 0n, 1n, 2n);

const operation = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(someKey, value, lease).map(([key, text, id]) => set(key, text, id)) },
  { weight: 2, arbitrary: someKey.map((key) => del(key)) },
  { weight: 1, arbitrary: fc.constant(del("a", "c")) },
  {
    weight: 3,
    arbitrary: fc.dictionary(someKey, fc.option(value, { nil: undefined }), { minKeys: 1 }).map(txn),
  },
  { weight: 1, arbitrary: fc.constantFrom(grant(1n), grant(2n), expire(1n, 2n), removeHistory) },
);

const interval = fc.constantFrom(
  { from: "a", before: "a\0" },
  { from: "b", before: "b\0" },
  { from: "a", before: "b" },
  { from: "b", before: "c" },
  { from: "ab", before: undefined },
  { from: "", before: undefined },
);

const spec = fc.record({
  interval,
  wantPrevious: fc.boolean(),
  wantSets: fc.boolean(),
  wantDeletes: fc.boolean(),
});

/** How far from the current revision a watch begins; undefined: now. */
const distance = fc.option(fc.integer({ min: -12, max: 4 }), { nil: undefined });
const client = fc.nat(2);

const at = (clients: readonly Client[], which: number): Client =>
  clients[which % clients.length] ?? assert.fail("there are clients");

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: operation.map(
      (each): Step =>
        (members) =>
          members.apply(each),
    ),
  },
  {
    weight: 6,
    arbitrary: fc.integer({ min: 1, max: 4 }).map(
      (entries): Step =>
        (members) =>
          members.follow(entries),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.nat(6).map(
      (back): Step =>
        async (members) => {
          const { revision, store } = members.leader;
          if (revision - back > store.compaction.revision) await members.apply(compact(revision - back));
        },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constant<Step>(({ member }) => {
      member.take();
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constant<Step>(({ member }) => {
      member.written();
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constant<Step>((members) => {
      members.install();
    }),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(client, fc.nat(3), spec, distance).map(
      ([which, id, wanted, far]): Step =>
        async (members, clients) => {
          await turn();
          const startRevision = far === undefined ? 0 : Math.max(1, members.member.revision + far);
          at(clients, which).create(id, { ...prefix(""), ...wanted, startRevision });
        },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(client, fc.nat(3)).map(
      ([which, id]): Step =>
        async (_, clients) => {
          await turn();
          at(clients, which).cancel(id);
        },
    ),
  },
  {
    weight: 6,
    arbitrary: client.map(
      (which): Step =>
        (_, clients) => {
          at(clients, which).read();
        },
    ),
  },
  {
    weight: 2,
    arbitrary: client.map(
      (which): Step =>
        (_, clients) => {
          at(clients, which).askForProgress();
        },
    ),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(1, 2, 3).map(
      (turns): Step =>
        async () => {
          for (let left = turns; left > 0; left -= 1) await turn();
        },
    ),
  },
);

const limits = fc.constantFrom<WatchLimits>(
  roomy,
  narrow,
  { ...roomy, streamBytes: 1500, historyBytes: 1000 },
  { ...roomy, queuedBytes: 2000, historyBytes: 600 },
);

const runs = Number(process.env["DKV_RUNS"] ?? 150);

test("whoever watches is told everything once, in order, whole revisions, whatever happens", async () => {
  await fc.assert(
    fc.asyncProperty(limits, fc.array(step, { maxLength: 150, size: "max" }), async (limit, steps) => {
      const members = new Members(limit);
      const clients = [new Client(members), new Client(members), new Client(members)];
      for (const each of steps) await each(members, clients);
      await members.follow(Number.POSITIVE_INFINITY);
      const last = Math.max(...clients.map(({ latestStart }) => latestStart));
      while (members.member.revision < last) {
        await members.apply(set("a", "last"));
        await members.follow(1);
      }
      await Promise.all(clients.map((each) => each.finish()));
      assert.deepEqual(members.errors, []);
      assert.deepEqual(members.member.failures, []);
    }),
    { numRuns: runs },
  );
});
