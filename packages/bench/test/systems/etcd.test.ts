import assert from "node:assert/strict";
import { test } from "node:test";
import { etcd, etcdVersion } from "../../src/systems/etcd.ts";
import {
  decodeStatus,
  encodePut,
  encodeRange,
  encodeSerializableRange,
  encodeTxn,
} from "../../src/systems/etcd-messages.ts";
import { runLoad } from "../../src/workload/load.ts";
import { preload } from "../../src/workload/preload.ts";
import { Data, workNames } from "../../src/workload/work.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("requests have etcd's field numbers", () => {
  assert.equal(hex(encodePut("k", Buffer.from("v"))), "0a016b120176");
  assert.equal(hex(encodeRange("k")), "0a016b");
  assert.equal(hex(encodeSerializableRange("k")), "0a016b3801");
  const compare = "0801" + "1000" + "1a016b" + "2000";
  const put = "1206" + hex(encodePut("k", Buffer.from("v")));
  assert.equal(hex(encodeTxn("k", Buffer.from("v"))), `0a09${compare}1208${put}`);
});

test("a status is read for who answered and whom it follows, and the rest is passed over", () => {
  const header = "0801" + "10ffffffffffffffffff01" + "1803";
  const status = Buffer.from(`0a0f${header}1206332e342e3233189003` + "2007" + "2863", "hex");
  assert.deepEqual(decodeStatus(status), { memberId: 2n ** 64n - 1n, leaderId: 7n });
  assert.deepEqual(decodeStatus(new Uint8Array()), { memberId: 0n, leaderId: 0n });
});

const isMissing = (await etcdVersion()) === undefined;

for (const security of ["cleartext", "tls"] as const) {
  test(`a real etcd cluster answers every work without errors, ${security}`, {
    skip: isMissing && "no etcd on the PATH",
  }, async () => {
    const { signal } = new AbortController();
    const system = etcd();
    const methods = system.methods(64);
    const running = await system.start({ dataRoot: undefined, security, signal });
    try {
      const data = new Data({ keys: 20, valueBytes: 64, seed: 1 });
      const { target: leader } = await running.findLeader();
      await preload(leader, { set: methods.set, data, signal });
      for (const work of workNames) {
        const recorder = await runLoad({
          method: methods[work],
          data,
          targets: [leader],
          clients: 8,
          connections: 2,
          warmupMs: 100,
          measuredMs: 200,
          onMeasuring: () => undefined,
          onMeasured: () => undefined,
          signal,
        });
        const { calls, errorKinds } = recorder.measurement();
        assert.deepEqual(errorKinds, {});
        assert.ok(calls >= 4, `${calls} calls`);
      }
    } finally {
      await running.stop();
    }
  });
}
