/** What @dkv/client relies on, at the real door: its own tests have a store that is simpler. */
import assert from "node:assert/strict";
import { it, type TestContext } from "node:test";
import { DkvClient, type KeyValue, op, type Txn } from "@dkv/client";
import { plainSet } from "@dkv/store";
import { type ClientPort, openClientPort } from "./client-port.ts";

async function open(t: TestContext): Promise<ClientPort & { readonly dkv: DkvClient }> {
  const port = await openClientPort(t);
  const dkv = new DkvClient({ endpoints: [`127.0.0.1:${String(port.port)}`] });
  t.after(() => dkv.close());
  return { ...port, dkv };
}

it("lists as many keys as are wanted, where that is more than a page", async (t) => {
  const { dkv, member } = await open(t);
  const names = Array.from({ length: 1600 }, (_, at) => `p/${String(at).padStart(4, "0")}`);
  for (const name of names)
    await member.apply({ case: "set", value: plainSet(Buffer.from(name), Buffer.from("v")) });
  for (const limit of [1500, 1000, 7, 2000]) {
    const found: KeyValue[] = [];
    for await (const kv of dkv.list({ prefix: "p/" }, { limit })) found.push(kv);
    assert.deepEqual(
      found.map(({ key }) => key),
      names.slice(0, limit),
    );
  }
});

it("takes transactions that nest as deep as the client lets them, in a pipe too", async (t) => {
  const { dkv } = await open(t);
  const bounds = { from: "a", before: "z" };
  let txn: Txn = { success: [op.get(bounds), op.set("z", "v"), op.delete(bounds)] };
  for (let depth = 1; depth < 48; depth += 1) txn = { success: [op.txn(txn)] };
  await using pipe = dkv.pipe();
  assert.equal((await dkv.txn(txn)).succeeded, true);
  assert.equal((await pipe.txn(txn)).succeeded, true);
});
