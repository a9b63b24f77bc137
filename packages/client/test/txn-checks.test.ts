import assert from "node:assert/strict";
import { test } from "node:test";

import { DkvClientError } from "../src/errors.ts";
import { compare, op, type Txn, type TxnOperation } from "../src/txn.ts";
import { client, fails, member, storeMember } from "./fixture.ts";

const refused = { code: "invalid_request", retry: "never" } as const;
const half = "\ud800";
/** Where a lease may be named by what has it as id, this is none: the encoder says so. */
const unsendable = { success: [{ ...op.set("k", "v"), lease: { id: 5n } }] } as unknown as Txn;

/** Whatever words make or refuse, or who writes it without them. */
async function refusedOf(write: () => Promise<unknown>): Promise<void> {
  await fails(Promise.resolve().then(write), refused);
}

test("a transaction with what cannot be meant is refused before anything is sent", async (t) => {
  const only = await member(t);
  const dkv = client(t, { endpoints: [only.endpoint] });
  const pipe = dkv.pipe();
  const raw = { keysOnly: false, returnPrevious: false, ttlSeconds: 0, lease: 0n, value: Buffer.from("v") };
  const written: readonly (() => Txn)[] = [
    () => ({ success: [op.set(half, "x")] }),
    () => ({ success: [op.set("k", half)] }),
    () => ({ failure: [op.get({ prefix: half })] }),
    () => ({ success: [op.delete({ from: half })] }),
    () => ({ compares: [compare(half).exists()] }),
    () => ({ compares: [compare("k").value.is(half)] }),
    () => ({ compares: [compare("k").version.is(1.5)] }),
    () => ({ success: [op.get({ prefix: "p/" }, { limit: -1 })] }),
    () => ({ success: [op.get({ prefix: "p/" }, { limit: 2 ** 32 })] }),
    () => ({ success: [op.txn({ failure: [{ kind: "get", keys: { prefix: "" }, limit: -1, ...raw }] })] }),
    () => ({ success: [{ kind: "set", key: half, ...raw }] }),
    () => ({ success: [{ kind: "set", key: "k", ...raw, ttlSeconds: 0.5 }] }),
    () => ({ success: [{ kind: "delete", keys: { key: half }, ...raw }] }),
    () => ({
      compares: [{ keys: { key: "k" }, relation: "equal", target: { kind: "lease", operand: 2n ** 64n } }],
    }),
  ];
  for (const make of written) {
    await refusedOf(async () => dkv.txn(make()));
    await refusedOf(async () => pipe.txn(make()));
  }
  await refusedOf(async () => dkv.listPage({ prefix: "" }, { limit: 2 ** 32 }));
  await pipe.close();
  assert.deepEqual(only.calls, []);
});

test("the words of a transaction say at once what is wrong", () => {
  for (const word of [
    () => op.set(half, "x"),
    () => op.get(half),
    () => op.delete({ prefix: half }),
    () => compare({ before: half }),
  ])
    assert.throws(word, (error) => error instanceof DkvClientError && error.code === "invalid_request");
});

test("transactions nest as deep as messages can be read, and what is deeper is refused", async (t) => {
  const { dkv, store } = await storeMember(t);
  const nested = (depth: number): Txn => {
    let txn: Txn = { success: [op.set("k", `${depth}`)] };
    for (let at = 1; at < depth; at += 1) txn = { success: [op.txn(txn)] };
    return txn;
  };
  assert.equal((await dkv.txn(nested(48))).succeeded, true);
  const message = /more than 48 transactions are nested/;
  await fails(dkv.txn(nested(49)), { ...refused, message });
  await fails(dkv.txn(nested(3000)), { ...refused, message });
  const endless: TxnOperation[] = [];
  endless.push(op.txn({ success: endless }));
  await fails(dkv.txn({ success: endless }), { ...refused, message });
  assert.equal(store.text("k"), "48");
});

test("what makes no message is an error of the request, and is not repeated", async (t) => {
  const { dkv, only } = await storeMember(t);
  const wrong = { ...refused, message: /^this is no request that can be sent: cannot encode/ };
  await fails(dkv.txn(unsendable), wrong);
  await dkv.set("k", "v");
  assert.deepEqual(
    only.methods.filter((method) => method === "txn"),
    [],
  );
});

test("in a pipe it says nothing of those before it", async (t) => {
  const { dkv, only } = await storeMember(t);
  const arrived = Promise.withResolvers<void>();
  only.script = async ({ method, signal }) => {
    if (method !== "set") return;
    arrived.resolve();
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  };
  const pipe = dkv.pipe();
  const before = fails(pipe.set("a", "v"), { code: "invalid_request", retry: "outcomeUnknown" });
  await arrived.promise;
  await fails(pipe.txn(unsendable), {
    code: "invalid_request",
    retry: "outcomeUnknown",
  });
  await before;
});
