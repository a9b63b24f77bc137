import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";

import { Retry } from "@dkv/protocol/dkv/v1/dkv";

import { FakeStore } from "./fake-store.ts";
import { client, fails, member, storeMember } from "./fixture.ts";
import { refusal, type ScriptedMember } from "./scripted-member.ts";

test("a lock is held by one at a time, in the order of asking, with a growing fencing token", async (t) => {
  const { dkv, only, store } = await storeMember(t);
  const first = await dkv.lock("job");
  const order: string[] = [];
  const waiting: Promise<number>[] = [];
  for (const name of ["second", "third"]) {
    const watched = nextWatch(only);
    waiting.push(
      (async () => {
        await using lock = await dkv.lock("job");
        order.push(name);
        return lock.fencingToken;
      })(),
    );
    await watched;
  }
  assert.deepEqual([order, store.keys.length], [[], 3]);
  await first.release();
  const [second = 0, third = 0] = await Promise.all(waiting);
  assert.deepEqual(order, ["second", "third"]);
  assert.ok(first.fencingToken < second && second < third, `${first.fencingToken} ${second} ${third}`);
  assert.deepEqual([store.keys, store.leases.size, first.lost.aborted], [[], 0, false]);
});

/** Resolves when a watch of a waiter begins; the holder watches its own key. */
async function nextWatch(only: ScriptedMember): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let lists = 0;
  only.script = ({ method }) => {
    if (method === "list") lists += 1;
    if (method === "watch" && lists > 0) resolve();
  };
  await promise;
}

test("who waits for a lock and gives up leaves nothing behind, and those behind it wait on", async (t) => {
  const { dkv, only, store } = await storeMember(t);
  const holder = await dkv.lock("job");
  const stop = new AbortController();
  let watched = nextWatch(only);
  const second = fails(dkv.lock("job", { signal: stop.signal }), { code: "canceled", retry: "notApplied" });
  await watched;
  watched = nextWatch(only);
  const third = dkv.lock("job");
  await watched;
  watched = nextWatch(only);
  stop.abort();
  await second;
  await watched;
  assert.equal(store.keys.length, 2);
  await holder.release();
  await (await third).release();
});

test("a lock is lost with its lease, or when its key is deleted", async (t) => {
  const { dkv, store } = await storeMember(t);
  const one = await dkv.lock("a");
  store.end(store.leases.keys().next().value ?? 0n);
  if (!one.lost.aborted) await once(one.lost, "abort");
  assert.match(String(one.lost.reason), /was deleted|lease_not_found/);
  const two = await dkv.lock("b");
  await dkv.delete(two.key);
  if (!two.lost.aborted) await once(two.lost, "abort");
  assert.match(String(two.lost.reason), /b\/[\da-f]{16} was deleted/);
});

test("a lock outlives the loss of a member, and compaction", async (t) => {
  const store = new FakeStore();
  const [one, two] = [await member(t, { store }), await member(t, { store })];
  const dkv = client(t, { endpoints: [one.endpoint, two.endpoint] });
  const lock = await dkv.lock("job");
  const again = Promise.withResolvers<void>();
  two.script = ({ method }) => {
    if (method !== "watch") return;
    if (store.compacted === 0n) {
      store.revision += 10n;
      store.compacted = store.revision;
    } else again.resolve();
  };
  await one.stop();
  await again.promise;
  assert.equal(lock.lost.aborted, false);
  await dkv.delete(lock.key);
  if (!lock.lost.aborted) await once(lock.lost, "abort");
});

test("a place in the line whose answer is lost is taken once", async (t) => {
  const { dkv, only, store } = await storeMember(t);
  let losses = 0;
  only.afterwards = ({ method }) => {
    losses += 1;
    if (method === "txn" && losses <= 2) throw refusal("outcome_unknown", Retry.OUTCOME_UNKNOWN);
  };
  const lock = await dkv.lock("job");
  assert.deepEqual(store.keys, [lock.key]);
  assert.equal(lock.fencingToken, Number(store.entry(lock.key)?.createRevision));
  await lock.release();
});

test("locks whose names begin alike have nothing to do with each other, nor have other keys", async (t) => {
  const { dkv } = await storeMember(t);
  await dkv.set("a/note", "not a place");
  const inner = await dkv.lock("a/b");
  const outer = await dkv.lock("a");
  await Promise.all([inner.release(), outer.release()]);
});

test("an election has one leader, who can change its value and hand over", async (t) => {
  const { dkv, only, store } = await storeMember(t);
  const first = await dkv.elect("boss", "one");
  const watched = nextWatch(only);
  const next = dkv.elect("boss", "two");
  await watched;
  const led = async (): Promise<string> => Buffer.from((await dkv.leader("boss"))?.value ?? []).toString();
  assert.equal(await led(), "one");
  await first.proclaim("one, and busy");
  assert.deepEqual([await led(), first.lost.aborted], ["one, and busy", false]);
  await first.resign();
  await using second = await next;
  assert.deepEqual([await led(), second.fencingToken > first.fencingToken], ["two", true]);
  await fails(first.proclaim("x"), { code: "lease_not_found", retry: "never" }).catch(async () =>
    fails(first.proclaim("x"), { code: "lease_lost", retry: "never" }),
  );
  assert.equal(store.text(second.key), "two");
  assert.equal(await dkv.leader("nobody"), undefined);
});

test("whoever loses its lease while it waits does not get the lock", async (t) => {
  const { dkv, only, store } = await storeMember(t);
  const holder = await dkv.lock("job");
  const watched = nextWatch(only);
  const waiting = fails(dkv.lock("job"), { code: "lease_lost", retry: "never" });
  await watched;
  const [, mine = 0n] = store.leases.keys();
  store.end(mine);
  await holder.release();
  await waiting;
});

test("nobody answers for a while, and neither the lock is lost nor the place in the line", async (t) => {
  const { dkv, only } = await storeMember(t, { timeoutMs: 500 });
  let reads = 0;
  const watched = Promise.withResolvers<string>();
  only.script = ({ method }) => {
    if (method === "watch") watched.resolve("watched");
    if (method !== "get" && method !== "list" && method !== "watch") return;
    reads += 1;
    // More than the client asks within its timeout.
    if (reads <= 12) throw refusal("no_leader", Retry.NOT_APPLIED);
  };
  reads = 100;
  const lock = await dkv.lock("job");
  reads = 0;
  if (!lock.lost.aborted) await Promise.race([once(lock.lost, "abort"), watched.promise]);
  assert.equal(lock.lost.reason, undefined);
  reads = 0;
  const next = dkv.lock("job");
  while (reads <= 12) await Promise.race([next, new Promise((resolve) => setImmediate(resolve))]);
  await lock.release();
  await (await next).release();
});

test("whoever waits while nobody answers gives up when it is told to", async (t) => {
  const { dkv, only } = await storeMember(t, { timeoutMs: 400 });
  const holder = await dkv.lock("job");
  const [stop, asked] = [new AbortController(), Promise.withResolvers<void>()];
  let lists = 0;
  only.script = ({ method }) => {
    if (method !== "list") return;
    lists += 1;
    if (lists === 10) asked.resolve();
    throw refusal("no_leader", Retry.NOT_APPLIED);
  };
  const waiting = fails(dkv.lock("job", { signal: stop.signal }), { code: "canceled", retry: "notApplied" });
  await Promise.race([asked.promise, waiting]);
  stop.abort();
  await waiting;
  await holder.release();
});
