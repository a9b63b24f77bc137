/** The client with real members: three of them, of which the one that leads is killed. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { prepareCluster } from "@dkv/cluster";

import { DkvClientError } from "../../src/errors.ts";
import { client } from "../fixture.ts";

test("a watch, a lock, a lease and a pipe outlive the leader that they began with", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "dkv-client-"));
  const cluster = await prepareCluster({ directory, members: 3 });
  t.after(async () => {
    await Promise.all(cluster.members.filter(({ isRunning }) => isRunning).map((member) => member.kill()));
    await rm(directory, { recursive: true, force: true });
  });
  await cluster.start();
  const leader = cluster.member(await cluster.waitForLeader());
  const endpoints = cluster.members.map(({ clientAddress }) => clientAddress);
  const dkv = client(t, { endpoints, timeoutMs: 20_000 });

  const lock = await dkv.lock("job");
  const lease = await dkv.lease(10);
  await dkv.set("present", "yes", { lease });
  const watch = dkv.watch({ prefix: "w/" });
  await watch.open();
  const pipe = dkv.pipe({ maxInFlight: 8 });
  const writes = Promise.allSettled(
    Array.from({ length: 200 }, async (_, at) => pipe.set(`w/${at}`, "v")),
  ).then(async (results) => {
    await dkv.set("w/end", "");
    return results;
  });

  const told: number[] = [];
  for await (const { kv } of watch) {
    told.push(kv.modRevision);
    if (told.length === 20) await leader.kill();
    if (kv.key === "w/end") break;
  }
  for (const result of await writes) {
    if (result.status === "fulfilled") continue;
    assert.ok(result.reason instanceof DkvClientError);
    assert.equal(result.reason.retry, "outcomeUnknown", result.reason.message);
  }
  const stored: number[] = [];
  for await (const { modRevision } of dkv.list({ prefix: "w/" })) stored.push(modRevision);
  assert.deepEqual(
    told,
    stored.toSorted((a, b) => a - b),
  );
  assert.deepEqual([lock.lost.aborted, lease.lost.aborted], [false, false]);
  assert.equal((await dkv.get("present"))?.lease, lease.id);
  const next = dkv.lock("job");
  await lock.release();
  assert.ok((await next).fencingToken > lock.fencingToken);
  await Promise.all([(await next).release(), lease.close(), pipe.close()]);
  assert.equal(await dkv.get("present"), undefined);
});
