import assert from "node:assert/strict";
import { test } from "node:test";

import { Retry } from "@dkv/protocol/dkv/v1/dkv";

import type { WatchEvent } from "../src/keys.ts";
import type { Watch } from "../src/watch.ts";
import { FakeStore } from "./fake-store.ts";
import { client, deadEndpoint, fails, member, storeMember } from "./fixture.ts";
import { refusal } from "./scripted-member.ts";

const brief = ({ kind, kv, previous }: WatchEvent): string =>
  [
    kind,
    kv.key,
    Buffer.from(kv.value),
    kv.modRevision,
    ...(previous ? [Buffer.from(previous.value)] : []),
  ].join(" ");

/** The next events, as many as are wanted. */
async function take(watch: Watch, count: number): Promise<readonly string[]> {
  const taken: string[] = [];
  if (count > 0)
    for await (const event of watch) {
      taken.push(brief(event));
      if (taken.length === count) break;
    }
  return taken;
}

test("nothing is missed from open on", async (t) => {
  const { dkv } = await storeMember(t);
  await dkv.set("a/0", "before");
  const watch = dkv.watch({ prefix: "a/" }, { previous: true });
  assert.equal(await watch.open(), 3);
  await dkv.set("a/1", "x");
  await dkv.set("b", "not meant");
  await dkv.set("a/1", "y");
  await dkv.delete("a/1");
  assert.deepEqual(await take(watch, 3), ["set a/1 x 3", "set a/1 y 5 x", "delete a/1  6 y"]);
});

test("history is told first, and kinds that are not wanted are not", async (t) => {
  const { dkv } = await storeMember(t);
  await dkv.set("k", "1");
  await dkv.delete("k");
  await dkv.set("k", "2");
  assert.deepEqual(await take(dkv.watch({ key: "k" }, { startRevision: 2, exclude: ["delete"] }), 2), [
    "set k 1 2",
    "set k 2 4",
  ]);
});

test("a watch goes on elsewhere when its member is lost, without a gap and without a repeat", async (t) => {
  const store = new FakeStore();
  const [one, two] = [await member(t, { store }), await member(t, { store })];
  const writer = client(t, { endpoints: [two.endpoint] });
  const reasons: string[] = [];
  const watch = client(t, { endpoints: [one.endpoint, two.endpoint] }).watch(
    { prefix: "" },
    { onReconnect: ({ code }) => reasons.push(code) },
  );
  await watch.open();
  const told: number[] = [];
  await writer.set("k", "0");
  for await (const { kv } of watch) {
    told.push(kv.version);
    if (told.length === 3) await one.stop();
    if (told.length === 5) two.cut();
    if (told.length === 7) break;
    // Written while nobody watches, too.
    if (told.length % 2 === 1)
      await Promise.all([writer.set("k", "x"), writer.set("k", "y")]).catch(() => {});
  }
  assert.deepEqual(told, [1, 2, 3, 4, 5, 6, 7]);
  assert.ok(reasons.length >= 2 && reasons[0] === "connection_lost", reasons.join());
  assert.equal(watch.nextRevision, 8);
});

test("a watch that was lost before its first event knows where to go on", async (t) => {
  const { dkv, only, store } = await storeMember(t);
  const watch = dkv.watch({ key: "k" });
  await watch.open();
  const lost = Promise.withResolvers<void>();
  const events = take(watch, 1);
  only.script = ({ method }) => {
    if (method === "watch") lost.resolve();
    if (store.revision === 1n && method === "watch") throw refusal("no_leader", Retry.NOT_APPLIED);
  };
  only.cut();
  await lost.promise;
  await dkv.set("k", "meanwhile");
  assert.deepEqual(await events, ["set k meanwhile 2"]);
});

test("changes that were given up before they were told are an error, with what is left", async (t) => {
  const { dkv } = await storeMember(t);
  for (const value of ["1", "2", "3"]) await dkv.set("k", value);
  await dkv.compact(4);
  const error = await fails(dkv.watch({ key: "k" }, { startRevision: 2 }).open(), {
    code: "compacted",
    retry: "never",
  });
  assert.equal(error.compactRevision, 4);
});

test("so they are when a lost watch goes on too late", async (t) => {
  const { dkv, only, store } = await storeMember(t);
  const watch = dkv.watch({ key: "k" });
  await watch.open();
  only.script = ({ method }) => {
    if (method !== "watch") return;
    store.revision = 9n;
    store.compacted = 9n;
  };
  only.cut();
  await fails(take(watch, 1), { code: "compacted", retry: "never" });
});

test("no member at the beginning is an error, soon", async (t) => {
  const dkv = client(t, { endpoints: [await deadEndpoint()] });
  await fails(take(dkv.watch({ key: "k" }), 1), { code: "connection_refused", retry: "notApplied" });
});

test("a signal, or closing the client, ends it; leaving the loop tells the member", async (t) => {
  const { dkv, only } = await storeMember(t);
  const ended = Promise.withResolvers<void>();
  only.script = ({ method, signal }) => {
    if (method === "watch") signal.addEventListener("abort", () => ended.resolve(), { once: true });
  };
  const watch = dkv.watch({ key: "k" }, { startRevision: 2 });
  await dkv.set("k", "v");
  await take(watch, 1);
  await ended.promise;

  const stop = new AbortController();
  const stopped = dkv.watch({ key: "k" }, { signal: stop.signal });
  await stopped.open();
  const waiting = take(stopped, 1);
  stop.abort();
  await fails(waiting, { code: "canceled", retry: "notApplied" });

  const closed = dkv.watch({ key: "k" });
  await closed.open();
  const other = take(closed, 1);
  dkv.close();
  await fails(other, { code: "closed", retry: "notApplied" });
});
