import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import type { Cluster, Member } from "@dkv/cluster";
import { addresses, connect, preparedCluster, runningCluster } from "./fixture.ts";

/** A stopped cluster that has had some writes, and one of its members. */
async function stoppedCluster(test: TestContext): Promise<{ cluster: Cluster; member: Member }> {
  const cluster = await runningCluster(test, "cleartext");
  const client = await connect(test, "cleartext", addresses(cluster));
  for (let at = 0; at < 50; at += 1) await client.set(`key-${String(at)}`, "x".repeat(1000));
  await Promise.all(cluster.members.map((member) => member.kill()));
  const [member] = cluster.members;
  assert.ok(member !== undefined);
  return { cluster, member };
}

/** Starts the member, which must refuse with exit code 1 and one line that matches. */
async function refuses(member: Member, pattern: RegExp): Promise<void> {
  member.start();
  const { code } = await member.waitForEnd();
  const complaint = member.log.findLast((line) => line.startsWith("dkv: "));
  assert.equal(code, 1, complaint);
  assert.match(complaint ?? "", pattern);
}

function largestLog(member: Member): string {
  const db = join(member.dataDir, "0000000001", "db");
  const logs = readdirSync(db).filter((name) => name.endsWith(".log"));
  logs.sort((a, b) => readFileSync(join(db, b)).length - readFileSync(join(db, a)).length);
  assert.ok(logs[0] !== undefined, "LevelDB keeps what is new in a .log file");
  return join(db, logs[0]);
}

describe("a member whose data is not what it left", () => {
  it("refuses a database with a flipped byte in the middle of its log, and says what to do", async (test) => {
    const { member } = await stoppedCluster(test);
    const file = largestLog(member);
    const bytes = readFileSync(file);
    const middle = Math.floor(bytes.length / 2);
    bytes[middle] = (bytes[middle] ?? 0) ^ 0xff;
    writeFileSync(file, bytes);
    await refuses(member, /damaged|missing/);
  });

  it("refuses a database whose log file was deleted", async (test) => {
    const { member } = await stoppedCluster(test);
    rmSync(largestLog(member));
    await refuses(member, /missing|damaged/);
  });

  it("refuses a log of entries with a flipped byte in the middle", async (test) => {
    const { member } = await stoppedCluster(test);
    const file = join(member.dataDir, "0000000001", "log", "0000000001.log");
    const bytes = readFileSync(file);
    const entry = bytes.indexOf("key-25");
    assert.ok(entry > 0, "the log has what was written");
    bytes[entry] = (bytes[entry] ?? 0) ^ 0xff;
    writeFileSync(file, bytes);
    await refuses(member, /log, after record \d+, is not what was written.*must not be started/);
  });

  it("refuses a directory whose log of entries is gone", async (test) => {
    const { member } = await stoppedCluster(test);
    rmSync(join(member.dataDir, "0000000001", "log"), { recursive: true });
    await refuses(member, /the log is missing/);
  });

  it("refuses a directory whose database is gone", async (test) => {
    const { member } = await stoppedCluster(test);
    rmSync(join(member.dataDir, "0000000001", "db"), { recursive: true });
    await refuses(member, /missing/);
  });

  it("refuses the directory of another member", async (test) => {
    const { cluster, member } = await stoppedCluster(test);
    const other = cluster.members[1];
    assert.ok(other !== undefined);
    rmSync(member.dataDir, { recursive: true });
    cpSync(other.dataDir, member.dataDir, { recursive: true });
    await refuses(member, new RegExp(`belongs to .*${other.name}`));
  });

  it("goes by its data and says once that the initial flags are ignored when they have changed", async (test) => {
    const { cluster } = await stoppedCluster(test);
    for (const member of cluster.members) member.start({ "initial-cluster": `${member.name}=localhost:1` });
    await Promise.all(cluster.members.map((member) => member.waitReady()));
    await cluster.waitForLeader();
    for (const member of cluster.members) {
      assert.equal(member.log.filter((line) => line.includes("are ignored")).length, 1);
    }
    const client = await connect(test, "cleartext", addresses(cluster));
    assert.notEqual(await client.get("key-49"), undefined);
  });

  it("starts again after a kill in the middle of writing", async (test) => {
    const { cluster } = await stoppedCluster(test);
    await cluster.start();
    await cluster.waitForLeader();
  });

  it("does not form a cluster with members of another one", async (test) => {
    const one = await preparedCluster(test, "cleartext");
    const [a, b] = one.members;
    assert.ok(a !== undefined && b !== undefined);
    a.start();
    b.start({ "initial-cluster-token": "another" });
    await a.waitReady();
    await b.waitForLine(/cluster/);
    await assert.rejects(one.waitForLeader({ timeoutMs: 4000 }), /no leader/);
    assert.ok(
      [...a.log, ...b.log].some((line) => /refus|cluster id|another cluster/i.test(line)),
      "the reason is logged",
    );
  });
});
