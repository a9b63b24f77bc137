/** How much a transaction may be, in every protocol, as a suite. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, createClient } from "@connectrpc/connect";
import { DkvAPI, type TxnOperationSchema, type TxnRequestSchema } from "@dkv/protocol/dkv/v1/dkv";
import { openClientPort } from "./client-port.ts";
import type { Protocol } from "./contract.ts";
import { refusal } from "./refusal.ts";

type Operation = MessageInitShape<typeof TxnOperationSchema>;

const set = (key: string, value: Uint8Array): Operation => ({
  operation: { case: "set", value: { key, value } },
});

/** So many transactions, one within the other, and a set in the innermost. */
function nested(depth: number): MessageInitShape<typeof TxnRequestSchema> {
  if (depth === 1) return { success: [set("deep", Buffer.from("yes"))] };
  return { success: [{ operation: { case: "txn", value: nested(depth - 1) } }] };
}

export function txnContract(name: string, protocol: Protocol): void {
  describe(`a transaction over ${name}`, () => {
    it("may be so deep, and is refused if it is deeper", async (t) => {
      const port = await openClientPort(t, protocol.port);
      const dkv = createClient(DkvAPI, protocol.transport(port.url));
      for (const depth of [49, 60, 150])
        await assert.rejects(
          dkv.txn(nested(depth)),
          refusal(Code.InvalidArgument, "at most 48 transactions are nested"),
        );
      assert.equal(port.member.proposals, 0);
      assert.equal((await dkv.txn(nested(48))).succeeded, true);
      assert.equal(String(Buffer.from((await dkv.get({ key: "deep" })).value)), "yes");
    });

    it("has so much in its answer at most, and all of it is done", async (t) => {
      const port = await openClientPort(t, protocol.port);
      const dkv = createClient(DkvAPI, protocol.transport(port.url));
      const value = Buffer.alloc(300_000, 7);
      for (let at = 0; at < 10; at += 1) await dkv.set({ key: `k${String(at)}`, value });
      const all = { keys: { keys: { case: "prefix", value: "k" } } } as const;
      const { results } = await dkv.txn({
        success: [
          { operation: { case: "get", value: { ...all, keysOnly: true } } },
          { operation: { case: "get", value: all } },
          { operation: { case: "get", value: all } },
          { operation: { case: "delete", value: { ...all, returnPrevious: true } } },
        ],
      });
      const counts = results.map(({ result }) => {
        if (result.case === "get") return [result.value.found.length, result.value.count, result.value.more];
        assert.ok(result.case === "delete");
        return [result.value.previous.length, result.value.deleted];
      });
      assert.deepEqual(counts, [
        [10, 10n, false],
        [6, 10n, true],
        [1, 10n, true],
        [1, 10n],
      ]);
      assert.equal((await dkv.list(all)).found.length, 0);
    });
  });
}
