import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { DkvClient } from "@dkv/client";
import { Followers } from "../../src/load/followers.ts";
import { Leases } from "../../src/load/leases.ts";
import { Transactions } from "../../src/load/transactions.ts";
import type { Workload, WorkloadOptions } from "../../src/load/workload.ts";
import { nowMs, sleep } from "../../src/platform/time.ts";
import { prepareStage } from "../../src/stage.ts";

const options = {
  minutes: 1,
  seed: 1,
  members: 3,
  writers: 1,
  api: "both",
  kinds: ["kill"],
  fakeTime: undefined,
} as const;

interface Meddling {
  readonly start: (options: WorkloadOptions) => Workload;
  /** What a stranger does to keys that are none of his. */
  readonly meddle: (client: DkvClient) => Promise<void>;
  readonly report: RegExp;
}

/** Deletes the first of those keys that are there. */
async function deleteOne(client: DkvClient, prefix: string): Promise<void> {
  const { found } = await client.listPage({ prefix }, { limit: 1 });
  if (found[0] !== undefined) await client.delete(found[0].key);
}

const meddlings: Readonly<Record<string, Meddling>> = {
  "transactions miss an element that was taken away": {
    start: (some) => new Transactions(some),
    meddle: (client) => deleteOne(client, "lists/"),
    report: /serializable|is missing/,
  },
  "watches are told of a change that none of their clients has made": {
    start: (some) => new Followers(some),
    meddle: async (client) => void (await client.set("followed/0", "foreign")),
    report: /told as followed\/0=foreign, which nobody has written then/,
  },
  "leases miss a key that was deleted before its time": {
    start: (some) => new Leases(some),
    meddle: (client) => deleteOne(client, "leased/"),
    report: /was to live for \d s, and was gone after/,
  },
};

describe("clients of a cluster with which a stranger meddles", { timeout: 120_000 }, () => {
  for (const [title, { start, meddle, report }] of Object.entries(meddlings)) {
    it(title, async (test) => {
      const directory = mkdtempSync(join(tmpdir(), "dkv-chaos-test-"));
      const stage = await prepareStage(directory, options, ({ message }) => assert.fail(message));
      test.after(() => stage.close({ keep: false }));
      const { fleet, clients } = stage.scene;
      await fleet.startAll();
      await fleet.cluster.waitForLeader();
      const workload = start({ clients, seed: 1, startedMs: nowMs(), onVerdict: () => undefined });
      for (let turn = 0; turn < 10 && workload.verdict === undefined; turn += 1) {
        await sleep(200);
        await meddle(clients.dkv.all());
      }
      await workload.stop();
      assert.equal(workload.verdict?.kind, "violated");
      assert.match(workload.verdict.report, report);
    });
  }
});
