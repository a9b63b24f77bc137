import assert from "node:assert/strict";
import { test } from "node:test";

import { Code } from "@connectrpc/connect";
import { Retry } from "@dkv/protocol/dkv/v1/dkv";

import type { KeyValue } from "../src/keys.ts";
import { compare, op } from "../src/txn.ts";
import { client, fails, member, storeMember } from "./fixture.ts";
import { type Call, refusal } from "./scripted-member.ts";

const text = (value: Uint8Array | undefined): string => Buffer.from(value ?? []).toString();
const keyOf = ({ key }: KeyValue): string => key;

test("a key is read as it was at a revision, until that is given up", async (t) => {
  const { dkv } = await storeMember(t);
  const { header } = await dkv.set("k", "one");
  const { previous } = await dkv.set("k", "two", { returnPrevious: true });
  assert.equal(text(previous?.value), "one");
  assert.equal(text((await dkv.get("k", { revision: header.revision }))?.value), "one");
  await dkv.compact(header.revision + 1);
  const error = await fails(dkv.get("k", { revision: header.revision }), {
    code: "compacted",
    retry: "never",
  });
  assert.equal(error.compactRevision, header.revision + 1);
  await fails(dkv.get("k", { revision: 99 }), { code: "future_revision", retry: "never" });
});

test("conditions of a write hold or nothing is written", async (t) => {
  const { dkv, store } = await storeMember(t);
  const failed = { code: "precondition_failed", retry: "never" } as const;
  await dkv.set("k", "1", { ifAbsent: true });
  await fails(dkv.set("k", "2", { ifAbsent: true }), failed);
  await fails(dkv.set("k", "2", { ifVersion: 0 }), failed);
  await dkv.set("k", "2", { ifVersion: 1 });
  const { modRevision = 0 } = (await dkv.get("k")) ?? {};
  await fails(dkv.delete("k", { ifModRevision: modRevision - 1 }), failed);
  assert.equal(store.text("k"), "2");
  const { deleted, previous } = await dkv.delete("k", { ifModRevision: modRevision, returnPrevious: true });
  assert.deepEqual([deleted, text(previous?.value), previous?.version], [true, "2", 2]);
  await dkv.set("k", "3", { ifModRevision: 0 });
});

test("what cannot be meant is refused before anything is sent", async (t) => {
  const only = await member(t);
  const dkv = client(t, { endpoints: [only.endpoint] });
  const refused = { code: "invalid_request", retry: "never" } as const;
  await fails(dkv.get("k", { revision: -1 }), refused);
  await fails(dkv.set("k", "v", { ttlSeconds: 1.5 }), refused);
  await fails(dkv.set("k", "v", { lease: 2n ** 63n }), refused);
  await fails(dkv.listPage({ prefix: "\ud800" }), refused);
  await fails(dkv.lock(""), refused);
  assert.deepEqual(only.calls, []);
});

test("a write on a revision whose answer is lost is repeated, and is done once", async (t) => {
  const { dkv, store, only } = await storeMember(t);
  const { header } = await dkv.set("k", "old");
  let losses = 0;
  only.script = ({ method }: Call) => {
    losses += 1;
    if (method === "set" && losses === 1) throw refusal("outcome_unknown", Retry.OUTCOME_UNKNOWN);
  };
  await dkv.set("k", "new", { ifModRevision: header.revision });
  assert.deepEqual([store.text("k"), store.entry("k")?.version], ["new", 2n]);
});

test("a write on a revision that was done, and whose answer is lost, has an unknown outcome", async (t) => {
  const { dkv, store, only } = await storeMember(t);
  const { header } = await dkv.set("k", "old");
  only.afterwards = () => {
    only.afterwards = () => {};
    throw refusal("outcome_unknown", Retry.OUTCOME_UNKNOWN);
  };
  const write = dkv.set("k", "new", { ifModRevision: header.revision });
  await fails(write, { code: "precondition_failed", retry: "outcomeUnknown" });
  assert.equal(store.text("k"), "new");
});

test("a write on a revision that somebody else was faster with is known not to be done", async (t) => {
  const { dkv, store, only } = await storeMember(t);
  const { header } = await dkv.set("k", "old");
  only.script = ({ method }) => {
    if (method !== "set") return;
    only.script = () => {};
    store.set({ ...setting, key: "k", value: Buffer.from("theirs") });
    throw refusal("outcome_unknown", Retry.OUTCOME_UNKNOWN);
  };
  const write = dkv.set("k", "mine", { ifModRevision: header.revision });
  await fails(write, { code: "precondition_failed", retry: "never", message: /changed meanwhile/ });
});

const setting = {
  $typeName: "dkv.v1.SetRequest",
  ttlSeconds: 0n,
  ifAbsent: false,
  returnPrevious: false,
  lease: 0n,
} as const;

for (const [what, options] of [
  ["no condition", {}],
  ["the condition that the key is missing", { ifAbsent: true }],
  ["a condition on the version", { ifVersion: 0 }],
  ["the condition that there is no revision", { ifModRevision: 0 }],
] as const) {
  test(`a write with ${what}, which may hold again, is not repeated when its outcome is unknown`, async (t) => {
    const { dkv, only } = await storeMember(t);
    only.script = ({ method }) => {
      if (method === "set") throw refusal("outcome_unknown", Retry.OUTCOME_UNKNOWN);
    };
    await fails(dkv.set("k", "v", options), { code: "outcome_unknown", retry: "outcomeUnknown" });
    assert.equal(only.methods.filter((method) => method === "set").length, 1);
  });
}

test("a list goes over all pages, at the revision of the first", async (t) => {
  const { dkv, store, only } = await storeMember(t);
  const names = Array.from({ length: 2100 }, (_, at) => `a/${String(at).padStart(4, "0")}`);
  for (const key of [...names, "b"]) store.set({ ...setting, key, value: Buffer.from("v") });
  const found: string[] = [];
  for await (const { key } of dkv.list({ prefix: "a/" })) {
    if (found.length === 0) await dkv.set("a/9999", "too late");
    found.push(key);
  }
  assert.deepEqual(found, names);
  assert.equal(only.methods.filter((method) => method === "list").length, 3);
  const few: KeyValue[] = [];
  for await (const kv of dkv.list({ from: "a/2098", before: "b" }, { limit: 2, keysOnly: true }))
    few.push(kv);
  assert.deepEqual(
    few.map(({ key, value }) => [key, value.length]),
    [
      ["a/2098", 0],
      ["a/2099", 0],
    ],
  );
  const page = await dkv.listPage({ prefix: "" }, { limit: 2 });
  const next = await dkv.listPage({ prefix: "" }, { limit: 1, pageToken: page.nextPageToken });
  assert.deepEqual([page.found.map(keyOf), next.found.map(keyOf)], [["a/0000", "a/0001"], ["a/0002"]]);
  assert.equal(page.header.revision, Number(store.revision));
});

test("a transaction reads as it is written", async (t) => {
  const { dkv, store } = await storeMember(t);
  await dkv.set("stock/pears", "3");
  const buy = {
    compares: [compare("stock/pears").value.is("3"), compare("sold/pears").isMissing()],
    success: [
      op.set("stock/pears", "2", { returnPrevious: true }),
      op.set("sold/pears", "1"),
      op.get({ prefix: "" }),
    ],
    failure: [op.get("stock/pears")],
  };
  const { succeeded, results } = await dkv.txn(buy);
  assert.equal(succeeded, true);
  const [set, , get] = results;
  assert.ok(set?.kind === "set" && get?.kind === "get");
  assert.deepEqual([text(set.previous?.value), get.found.map(keyOf)], ["3", ["sold/pears", "stock/pears"]]);
  assert.equal(store.entry("stock/pears")?.modRevision, store.entry("sold/pears")?.modRevision);
  const again = await dkv.txn(buy);
  assert.equal(again.succeeded, false);
  assert.equal(again.results[0]?.kind, "get");
});

test("a transaction compares keys, and nests, and deletes", async (t) => {
  const { dkv, store } = await storeMember(t);
  await dkv.set("a/1", "x");
  await dkv.set("a/2", "y");
  const holds = async (...compares: Parameters<typeof dkv.txn>[0]["compares"] & object): Promise<boolean> =>
    (await dkv.txn({ compares })).succeeded;
  assert.equal(await holds(compare({ prefix: "a/" }).version.is(1)), true);
  assert.equal(await holds(compare({ prefix: "a/" }).createRevision.isLessThan(3)), false);
  assert.equal(await holds(compare("a/1").exists(), compare("a/1").value.isNot("y")), true);
  assert.equal(await holds(compare("a/1").modRevision.isGreaterThan(99)), false);
  assert.equal(await holds(compare("a/1").lease.is(0n)), true);
  const { results } = await dkv.txn({
    success: [
      op.txn({
        compares: [compare("z").exists()],
        failure: [op.delete({ prefix: "a/" }, { returnPrevious: true })],
      }),
    ],
  });
  const [nested] = results;
  assert.ok(nested?.kind === "txn" && !nested.succeeded && nested.results[0]?.kind === "delete");
  assert.deepEqual([nested.results[0].deleted, nested.results[0].previous.length], [2, 2]);
  assert.deepEqual(store.keys, []);
});

test("a transaction is repeated only where doing it twice does no harm", async (t) => {
  const { dkv, only, store } = await storeMember(t);
  const { header } = await dkv.set("k", "v");
  const loseOne = (): void => {
    only.script = ({ method }) => {
      if (method !== "txn") return;
      only.script = () => {};
      throw refusal("outcome_unknown", Retry.OUTCOME_UNKNOWN);
    };
  };
  loseOne();
  await fails(dkv.txn({ success: [op.set("k", "w")] }), { code: "outcome_unknown", retry: "outcomeUnknown" });
  loseOne();
  assert.equal((await dkv.txn({ success: [op.get("k")] })).succeeded, true);
  const guarded = { compares: [compare("k").modRevision.is(header.revision)], success: [op.set("k", "w")] };
  loseOne();
  assert.equal((await dkv.txn(guarded)).succeeded, true);
  const next = { compares: [compare("k").modRevision.is(Number(store.revision))], success: [op.delete("k")] };
  only.afterwards = () => {
    only.afterwards = () => {};
    throw refusal("outcome_unknown", Retry.OUTCOME_UNKNOWN);
  };
  await fails(dkv.txn(next), { code: "outcome_unknown", retry: "outcomeUnknown" });
  assert.deepEqual(store.keys, []);
});

test("compaction says what is given up already", async (t) => {
  const { dkv } = await storeMember(t);
  await dkv.set("k", "1");
  await dkv.set("k", "2");
  await dkv.compact(2, { wait: true });
  const error = await fails(dkv.compact(2), { code: "compacted", retry: "never" });
  assert.equal(error.compactRevision, 2);
});

test("status is that of the member asked, and of all", async (t) => {
  const [one, two] = [await member(t), await member(t)];
  const gone = await member(t);
  await gone.stop().catch(() => undefined);
  one.status = { id: "dkv-0", version: "0.1.0", isLeader: true, dataBytes: 7n, alarms: ["no space"] };
  two.status = { id: "dkv-1" };
  one.servers = [
    { id: "dkv-0", rpcAddress: one.endpoint },
    { id: "dkv-1", rpcAddress: two.endpoint },
    { id: "dkv-2" },
  ];
  const dkv = client(t, { endpoints: [one.endpoint] });
  const { id, isLeader, dataBytes, alarms } = await dkv.status();
  assert.deepEqual([id, isLeader, dataBytes, alarms], ["dkv-0", true, 7, ["no space"]]);
  const all = await dkv.statusOfAll();
  assert.deepEqual(
    all.map(({ member: { id: name }, status, reason }) => [name, status?.id, reason]),
    [
      ["dkv-0", "dkv-0", undefined],
      ["dkv-1", "dkv-1", undefined],
      ["dkv-2", undefined, "nobody knows where it serves its clients"],
    ],
  );
});

test("a member without the method says so", async (t) => {
  const only = await member(t, {
    script: () => {
      throw refusal("unimplemented", Retry.NEVER, Code.Unimplemented);
    },
  });
  await fails(client(t, { endpoints: [only.endpoint] }).status(), { code: "unimplemented", retry: "never" });
});
