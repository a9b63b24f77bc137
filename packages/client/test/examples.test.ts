/** The examples do what they say. They import the package as a program does, so it has to be built. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";

import { DkvClient } from "@dkv/client";

import { countUp } from "../examples/compare-and-swap.ts";
import { alone } from "../examples/lock.ts";
import { load } from "../examples/pipe.ts";
import { announce } from "../examples/presence.ts";
import { transfer } from "../examples/transaction.ts";
import { mirror } from "../examples/watch.ts";
import { FakeStore } from "./fake-store.ts";
import { member } from "./fixture.ts";

async function cluster(t: TestContext): Promise<{ readonly store: FakeStore; readonly client: DkvClient }> {
  const store = new FakeStore();
  const { endpoint } = await member(t, { store });
  const client = new DkvClient({ endpoints: [endpoint] });
  t.after(() => {
    client.close();
  });
  return { store, client };
}

test("counting up at the same time loses no count", async (t) => {
  const { client, store } = await cluster(t);
  const counts = await Promise.all(Array.from({ length: 8 }, async () => countUp(client, "count")));
  assert.deepEqual(
    counts.sort((a, b) => a - b),
    [1, 2, 3, 4, 5, 6, 7, 8],
  );
  assert.equal(store.text("count"), "8");
});

test("transfers at the same time keep the sum, and nobody owes", async (t) => {
  const { client, store } = await cluster(t);
  await client.set("a", "10");
  const done = await Promise.all(
    Array.from({ length: 4 }, async () => transfer(client, { from: "a", to: "b" }, 3)),
  );
  assert.deepEqual([done.filter(Boolean).length, store.text("a"), store.text("b")], [3, "1", "9"]);
});

test("a mirror shows what there is and what changes", async (t) => {
  const { client } = await cluster(t);
  await client.set("a/1", "x");
  const stop = new AbortController();
  const shown: string[] = [];
  const steps = [
    async () => client.set("a/2", "y"),
    async () => client.delete("a/1"),
    async () => Promise.resolve(stop.abort()),
  ];
  const onChange = (copy: ReadonlyMap<string, string>): void => {
    shown.push([...copy].join(" "));
    void steps.shift()?.();
  };
  await assert.rejects(mirror(client, "a/", { signal: stop.signal, onChange }), { code: "canceled" });
  assert.deepEqual(shown, ["a/1,x", "a/1,x a/2,y", "a/2,y"]);
});

test("work alone is done by one at a time", async (t) => {
  const { client } = await cluster(t);
  let running = 0;
  const tokens: number[] = [];
  const work = async (token: number): Promise<void> => {
    running += 1;
    assert.equal(running, 1);
    tokens.push(token);
    await client.get("anything");
    running -= 1;
  };
  await Promise.all([alone(client, "job", work), alone(client, "job", work), alone(client, "job", work)]);
  assert.deepEqual(
    tokens,
    tokens.toSorted((a, b) => a - b),
  );
});

test("a presence goes with its lease", async (t) => {
  const { client, store } = await cluster(t);
  const lease = await announce(client, "services/a", "localhost:80");
  assert.equal(store.text("services/a"), "localhost:80");
  await lease.close();
  assert.deepEqual(store.keys, []);
});

test("many keys are written through a pipe", async (t) => {
  const { client, store } = await cluster(t);
  assert.equal(await load(client, Object.entries({ a: "1", b: "2", c: "3" })), 3);
  assert.deepEqual(store.keys, ["a", "b", "c"]);
});
