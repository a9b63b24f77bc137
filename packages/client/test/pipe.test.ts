import assert from "node:assert/strict";
import { test } from "node:test";

import { Code } from "@connectrpc/connect";
import { Retry } from "@dkv/protocol/dkv/v1/dkv";

import { compare, op } from "../src/txn.ts";
import { FakeStore } from "./fake-store.ts";
import { client, deadEndpoint, fails, member, silence, storeMember } from "./fixture.ts";
import { refusal } from "./scripted-member.ts";

test("operations go through one stream, and each has its own answer", async (t) => {
  const { dkv, only, store } = await storeMember(t);
  await using pipe = dkv.pipe();
  const keys = Array.from({ length: 600 }, (_, at) => `k${at}`);
  const results = await Promise.all(keys.map(async (key) => pipe.set(key, key)));
  assert.equal(new Set(results.map(({ header }) => header.revision)).size, 600);
  const [found, missing, deleted, txn] = await Promise.all([
    pipe.get("k7"),
    pipe.get("nobody"),
    pipe.delete("k8", { returnPrevious: true }),
    pipe.txn({ compares: [compare("k9").exists()], success: [op.delete("k9")] }),
  ]);
  assert.deepEqual(
    [String(found?.modRevision), missing],
    [String(store.entry("k7")?.modRevision), undefined],
  );
  assert.deepEqual([deleted.deleted, deleted.previous?.key, txn.succeeded], [true, "k8", true]);
  await fails(pipe.set("k1", "x", { ifAbsent: true }), { code: "precondition_failed", retry: "never" });
  assert.equal(only.methods.filter((method) => method === "pipe").length, 1);
});

test("no more are under way than was said, and the others wait", async (t) => {
  const { dkv, only } = await storeMember(t);
  let [running, most] = [0, 0];
  only.script = async ({ method }) => {
    if (method !== "set") return;
    running += 1;
    most = Math.max(most, running);
    await Promise.resolve();
    running -= 1;
  };
  const pipe = dkv.pipe({ maxInFlight: 4 });
  await Promise.all(Array.from({ length: 50 }, async (_, at) => pipe.set(`k${at}`, "v")));
  await pipe.close();
  assert.ok(most <= 4, `${most} at once`);
});

test("what a member has surely not done is sent again", async (t) => {
  const { dkv, only, store } = await storeMember(t);
  let refusals = 3;
  only.script = ({ method }) => {
    if (method !== "set" || refusals === 0) return;
    refusals -= 1;
    throw refusal("no_leader", Retry.NOT_APPLIED);
  };
  const pipe = dkv.pipe();
  await pipe.set("k", "v");
  assert.deepEqual([store.entry("k")?.version, refusals], [1n, 0]);
  await pipe.close();
});

test("when the stream breaks, writes under way have an unknown outcome, and reads are sent again", async (t) => {
  const store = new FakeStore();
  const [one, two] = [await member(t, { store }), await member(t, { store })];
  const arrived = Promise.withResolvers<void>();
  one.script = async (call) => {
    if (call.method === "get") arrived.resolve();
    if (call.method === "set" || call.method === "get") await silence(call);
  };
  const pipe = client(t, { endpoints: [one.endpoint, two.endpoint] }).pipe({ maxInFlight: 2 });
  const written = fails(pipe.set("a", "1"), {
    code: "connection_lost",
    retry: "outcomeUnknown",
    message: /broke before it answered/,
  });
  const read = pipe.get("a");
  const unsent = pipe.set("b", "2");
  await arrived.promise;
  await one.stop();
  await written;
  await Promise.all([read, unsent]);
  assert.deepEqual(
    two.methods
      .filter((method) => method === "get" || method === "set")
      .toSorted((a, b) => a.localeCompare(b)),
    ["get", "set"],
  );
  assert.equal(store.text("b"), "2");
  await pipe.close();
});

test("a pipe that a member does not have is said to all", async (t) => {
  const only = await member(t, {
    store: new FakeStore(),
    script: ({ method }) => {
      if (method === "pipe") throw refusal("unimplemented", Retry.NEVER, Code.Unimplemented);
    },
  });
  const pipe = client(t, { endpoints: [only.endpoint] }).pipe();
  const failed = { code: "unimplemented", retry: "never" } as const;
  await Promise.all([fails(pipe.set("k", "v"), failed), fails(pipe.get("k"), failed)]);
});

test("no member, no answer, a signal and the end of the client are errors of each operation", async (t) => {
  const nobody = client(t, { endpoints: [await deadEndpoint()] }).pipe();
  await fails(nobody.set("k", "v"), { code: "connection_refused", retry: "notApplied" });

  const arrived = Promise.withResolvers<void>();
  const { dkv, only } = await storeMember(t, { timeoutMs: 300 });
  only.script = async (call) => {
    if (call.method === "set") {
      arrived.resolve();
      await silence(call);
    }
  };
  const pipe = dkv.pipe({ maxInFlight: 1 });
  const stop = new AbortController();
  const late = fails(pipe.set("k", "v"), {
    code: "deadline_exceeded",
    retry: "outcomeUnknown",
    message: /within 300ms; it may or may not/,
  });
  const waiting = fails(pipe.set("k", "v", { signal: stop.signal }), {
    code: "canceled",
    retry: "notApplied",
  });
  await arrived.promise;
  stop.abort();
  await Promise.all([waiting, late]);
  const sent = fails(pipe.set("k", "v"), { code: "closed", retry: "outcomeUnknown" });
  const unsent = fails(pipe.set("k", "v"), { code: "closed", retry: "notApplied" });
  only.script = silence;
  await new Promise((resolve) => setImmediate(resolve));
  dkv.close();
  await Promise.all([sent, unsent]);
  await fails(pipe.set("k", "v"), { code: "closed", retry: "notApplied" });
});
