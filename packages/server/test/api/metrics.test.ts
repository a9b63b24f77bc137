import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { expose } from "../../src/api/metrics/exposition.ts";
import { DkvError } from "../../src/platform/errors.ts";
import { openClientPort } from "./client-port.ts";

/** The values of those that have no labels. */
function valuesIn(text: string): ReadonlyMap<string, number> {
  const lines = text.split("\n").filter((line) => /^\w+ /.test(line));
  return new Map(lines.map((line) => [line.split(" ")[0] ?? "", Number(line.split(" ")[1])]));
}

describe("/metrics", () => {
  it("tells dashboards for etcd how the member is", async (t) => {
    const { url, member } = await openClientPort(t);
    member.about = { leaderChanges: 3, waitingWrites: 2, failedWrites: 4, quotaBytes: 100, isLearner: true };
    const response = await fetch(`${url}/metrics`);
    assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    const text = await response.text();
    const values = valuesIn(text);
    const shown = [...values].filter(([name]) => name.startsWith("etcd_"));
    assert.deepEqual(Object.fromEntries(shown), {
      etcd_server_has_leader: 1,
      etcd_server_is_leader: 1,
      etcd_server_is_learner: 1,
      etcd_server_leader_changes_seen_total: 3,
      etcd_server_proposals_committed_total: 1,
      etcd_server_proposals_applied_total: 1,
      etcd_server_proposals_pending: 2,
      etcd_server_proposals_failed_total: 4,
      etcd_server_quota_backend_bytes: 100,
      etcd_mvcc_db_total_size_in_bytes: 2000,
      etcd_mvcc_db_total_size_in_use_in_bytes: 2000,
      etcd_debugging_mvcc_current_revision: 1,
      etcd_debugging_mvcc_compact_revision: -1,
    });
    for (const name of ["process_resident_memory_bytes", "process_cpu_seconds_total"])
      assert.ok((values.get(name) ?? 0) > 0, name);
    assert.ok(Math.abs((values.get("process_start_time_seconds") ?? 0) - Date.now() / 1000) < 3600);
    assert.match(text, /^etcd_server_version\{server_version="3\.7\.0"\} 1$/m);
    assert.match(text, /^etcd_cluster_version\{cluster_version="3\.7"\} 1$/m);
    assert.match(text, /^etcd_server_id\{server_id="8000000000000001"\} 1$/m);
    member.leader = "";
    assert.equal(valuesIn(await (await fetch(`${url}/metrics`)).text()).get("etcd_server_has_leader"), 0);
  });

  it("says so when the member cannot tell", async (t) => {
    const { url, member } = await openClientPort(t);
    member.failure = new DkvError("stopping", "this member is stopping");
    const response = await fetch(`${url}/metrics`);
    assert.deepEqual([response.status, await response.text()], [503, "this member is stopping\n"]);
  });

  it("writes what Prometheus reads, whatever a label has in it", () => {
    const values = [{ labels: { a: 'x"\\\n', b: "" }, value: 1.5 }, { value: 2 }];
    assert.equal(
      expose([{ name: "n", help: "h", type: "counter", values }]),
      '# HELP n h\n# TYPE n counter\nn{a="x\\"\\\\\\n",b=""} 1.5\nn 2\n',
    );
  });
});
