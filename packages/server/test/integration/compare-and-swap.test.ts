import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type DkvClient, DkvClientError } from "@dkv/client";
import { addresses, connect, runningCluster, text } from "./fixture.ts";
import { killLeader, Progress } from "./killing.ts";

const clients = 16;
const kills = 5;

interface Tally {
  /** Numbers whose writing was acknowledged. */
  readonly acknowledged: number[];
  unknown: number;
}

/** One attempt to make the counter one more, which fails if somebody was faster. */
async function increment(client: DkvClient, tally: Tally): Promise<boolean> {
  const found = await client.get("counter");
  const next = Number(text(found?.value) ?? 0) + 1;
  try {
    await client.set("counter", String(next), { ifModRevision: found?.modRevision ?? 0 });
  } catch (error) {
    if (!(error instanceof DkvClientError)) throw error;
    if (error.retry === "outcomeUnknown") tally.unknown += 1;
    else assert.ok(error.code === "precondition_failed" || error.retry === "notApplied", error.message);
    return false;
  }
  tally.acknowledged.push(next);
  return true;
}

/** All values that it ever had. */
async function historyOf(client: DkvClient, key: string, startRevision: number, count: number) {
  const values: (string | undefined)[] = [];
  for await (const { kv } of client.watch({ key }, { startRevision })) {
    values.push(text(kv.value));
    if (values.length === count) break;
  }
  return values;
}

describe("compare and swap", () => {
  it("loses no increment of 16 clients, also when leaders are killed", { timeout: 300_000 }, async (test) => {
    const cluster = await runningCluster(test, "tls", { flags: { "election-timeout": "500ms" } });
    const all = await Promise.all(
      Array.from({ length: clients }, () => connect(test, "tls", addresses(cluster))),
    );
    const tally: Tally = { acknowledged: [], unknown: 0 };
    const progress = new Progress();
    const stop = new AbortController();
    const isOver = AbortSignal.any([stop.signal, test.signal]);
    const loops = all.map(async (client) => {
      while (!isOver.aborted) {
        const isDone = await increment(client, tally).catch((error: unknown) => {
          // A read has no effect, whatever became of it.
          if (!(error instanceof DkvClientError)) throw error;
          return false;
        });
        if (isDone) progress.advance();
      }
    });
    const working = Promise.all(loops);
    const killing = async (): Promise<void> => {
      for (let kill = 0; kill < kills; kill += 1) await killLeader(cluster, async () => progress.more(32));
      stop.abort();
    };
    await Promise.all([killing(), working]);

    const [client] = all;
    const counter = await client?.get("counter");
    assert.ok(client !== undefined && counter !== undefined);
    const { acknowledged, unknown } = tally;
    const total = Number(text(counter.value));
    assert.equal(total, counter.version, "each write has added one");
    assert.equal(new Set(acknowledged).size, acknowledged.length, "no two wrote the same number");
    assert.ok(total >= acknowledged.length && total <= acknowledged.length + unknown);
    assert.deepEqual(
      await historyOf(client, "counter", counter.createRevision, total),
      Array.from({ length: total }, (_, at) => String(at + 1)),
    );
    test.diagnostic(`${String(total)} increments, ${String(unknown)} of unknown outcome`);
  });
});
