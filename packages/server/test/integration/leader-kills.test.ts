import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { addresses, connect, runningCluster } from "./fixture.ts";
import { killLeader } from "./killing.ts";
import { assertLinearizable, startRecordedLoad } from "./recorded-load.ts";

const kills = 20;
const electionTimeoutMs = 1000;

describe("a cluster whose leader is killed again and again", () => {
  it("loses no acknowledged write and serves no stale read to 64 writers", {
    timeout: 300_000,
  }, async (test) => {
    const cluster = await runningCluster(test, "tls", {
      flags: { "election-timeout": `${String(electionTimeoutMs)}ms` },
    });
    const clients = await Promise.all(cluster.members.map(() => connect(test, "tls", addresses(cluster))));
    const load = startRecordedLoad(clients, { writers: 64, keys: 32 });
    const gaps: number[] = [];
    for (let kill = 0; kill < kills; kill += 1)
      gaps.push((await killLeader(cluster, async () => load.more(64))).gapMs);
    const history = await load.stop();
    report(test, gaps, history.length);
    assertLinearizable(history);
    assert.ok(load.acknowledged > kills * 64, `only ${String(load.acknowledged)} writes were acknowledged`);
    const slowest = Math.max(...gaps);
    assert.ok(
      slowest < 10 * electionTimeoutMs,
      `after a kill there was no leader for ${slowest.toFixed(0)} ms`,
    );
  });
});

function report(test: TestContext, gaps: readonly number[], operations: number): void {
  const sorted = [...gaps].sort((a, b) => a - b).map((gap) => Math.round(gap));
  test.diagnostic(`${String(operations)} operations recorded; ms to the next leader: ${sorted.join(" ")}`);
}
