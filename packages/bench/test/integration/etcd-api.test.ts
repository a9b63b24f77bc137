import assert from "node:assert/strict";
import { test } from "node:test";
import { dkv } from "../../src/systems/dkv.ts";
import { speakingEtcd } from "../../src/systems/etcd-methods.ts";
import { runLoad } from "../../src/workload/load.ts";
import { preload } from "../../src/workload/preload.ts";
import { Data } from "../../src/workload/work.ts";

test("a real dkv cluster answers every work in etcd's words without errors", async () => {
  const { signal } = new AbortController();
  const system = speakingEtcd(dkv(undefined));
  const methods = system.methods(64);
  const running = await system.start({ dataRoot: undefined, security: "cleartext", signal });
  try {
    const data = new Data({ keys: 20, valueBytes: 64, seed: 1 });
    const { target } = await running.findLeader();
    await preload(target, { set: methods.set, data, signal });
    for (const work of ["set", "get", "serializable-get", "txn", "mixed"] as const) {
      const recorder = await runLoad({
        method: methods[work],
        data,
        targets: [target],
        clients: 8,
        connections: 2,
        warmupMs: 100,
        measuredMs: 500,
        onMeasuring: () => undefined,
        onMeasured: () => undefined,
        signal,
      });
      const { calls, errorKinds } = recorder.measurement();
      assert.deepEqual(errorKinds, {}, work);
      assert.ok(calls >= 4, `${work}: ${calls} calls`);
    }
  } finally {
    await running.stop();
  }
});
