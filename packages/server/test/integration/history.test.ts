/** What the store has besides its keys, after all that can happen to a member. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type DkvClient, DkvClientError } from "@dkv/client";
import {
  addresses,
  connect,
  grow,
  preparedCluster,
  runningCluster,
  scratchDirectory,
  text,
} from "./fixture.ts";

const run = promisify(execFile);
const dkv = fileURLToPath(new URL("../../../server/bin/dkv.js", import.meta.url));

const flags = { "election-timeout": "500ms", "snapshot-count": "16", "snapshot-catchup-entries": "8" };
const lease = 0x1234n;
const hour = 3600;

/** The revisions that a client may ask for, of what `write` writes. */
interface Span {
  readonly compacted: number;
  readonly last: number;
}

/** Sets, deletes and transactions over a few keys, a lease with two of them, and a compaction in the middle. */
async function write(client: DkvClient): Promise<Span> {
  const { header } = await client.grantLease(hour, { id: lease });
  for (let round = 0; round < 40; round += 1) {
    const key = `key-${String(round % 5)}`;
    if (round % 7 === 3) await client.delete(key);
    else await client.set(key, `value ${String(round)}`, round % 5 === 4 ? { lease } : {});
  }
  const last = (await client.set("key-0", "the last", { returnPrevious: true })).header.revision;
  const compacted = header.revision + Math.floor((last - header.revision) / 2);
  await client.compact(compacted, { wait: true });
  return { compacted, last };
}

/** Writes so much that no log has the beginning any more: it is dropped in files of 16 MiB. */
async function outgrowLog(client: DkvClient): Promise<void> {
  const value = "x".repeat(2 ** 19);
  for (let round = 0; round < 16; round += 1)
    await Promise.all(Array.from({ length: 8 }, (_, at) => client.set(`filler-${String(at)}`, value)));
}

/** Everything that a client can see of it through one member, in lines. */
async function account(client: DkvClient, { compacted, last }: Span): Promise<readonly string[]> {
  // Whatever was acknowledged is there from now on, also for reads of this member's own state.
  await client.get("key-0");
  const lines: string[] = [];
  for (let revision = compacted; revision <= last; revision += 1) {
    for await (const kv of client.list({ prefix: "" }, { revision, serializable: true })) {
      const { key, createRevision, modRevision, version } = kv;
      const facts = [createRevision, modRevision, version, kv.lease ?? "no lease"].join(" ");
      lines.push(`${String(revision)}: ${key} = ${text(kv.value) ?? ""} (${facts})`);
    }
  }
  const watch = client.watch({ prefix: "" }, { startRevision: compacted + 1, previous: true });
  for await (const { kind, kv, previous } of watch) {
    lines.push(`${String(kv.modRevision)} ${kind} ${kv.key}, before ${text(previous?.value) ?? "nothing"}`);
    if (kv.modRevision === last) break;
  }
  const { ids } = await client.listLeases();
  const { grantedTtlSeconds, ttlSeconds, keys } = await client.getLease(lease, { returnKeys: true });
  assert.ok(ttlSeconds > 0 && ttlSeconds <= grantedTtlSeconds, `${String(ttlSeconds)} seconds are left`);
  lines.push(`leases ${ids.join(" ")}, granted ${String(grantedTtlSeconds)}`);
  lines.push(`attached: ${keys.map(({ key }) => key).join(" ")}`);
  await assertGivenUp(client, compacted);
  return lines;
}

/** Reads and watches from before a compaction are refused, and told where history begins. */
async function assertGivenUp(client: DkvClient, compacted: number): Promise<void> {
  const isGivenUp = (error: unknown): boolean => {
    assert.ok(error instanceof DkvClientError);
    assert.equal(error.code, "compacted", error.message);
    assert.equal(error.compactRevision, compacted);
    return true;
  };
  await assert.rejects(client.get("key-0", { revision: compacted - 1, serializable: true }), isGivenUp);
  const watch = client.watch({ key: "key-0" }, { startRevision: compacted - 1 });
  await assert.rejects(watch[Symbol.asyncIterator]().next(), isGivenUp);
}

/** Through each member by itself. */
async function assertSameOnEach(
  test: TestContext,
  at: readonly string[],
  { span, expected }: { readonly span: Span; readonly expected: readonly string[] },
): Promise<void> {
  for (const address of at)
    assert.deepEqual(await account(await connect(test, "tls", [address]), span), expected, address);
}

async function writtenCluster(test: TestContext) {
  const cluster = await runningCluster(test, "tls", { flags });
  const client = await connect(test, "tls", addresses(cluster));
  const span = await write(client);
  const expected = await account(client, span);
  assert.ok(expected.length > 100, "there is something to compare");
  return { cluster, client, span, expected };
}

describe("history, leases and compaction", { timeout: 240_000 }, () => {
  it("are the same on each member, also when all were killed and started again", async (test) => {
    const { cluster, span, expected } = await writtenCluster(test);
    await assertSameOnEach(test, addresses(cluster), { span, expected });
    await Promise.all(cluster.members.map((member) => member.kill()));
    await cluster.start();
    await cluster.waitForLeader();
    await assertSameOnEach(test, addresses(cluster), { span, expected });
  });

  it("come to a new member with the snapshot that it is sent", async (test) => {
    const { cluster, client, span, expected } = await writtenCluster(test);
    await outgrowLog(client);
    const newcomer = await grow(cluster, client, "dkv-3");
    await newcomer.waitForLine(/took over the state of another member/);
    await assertSameOnEach(test, [newcomer.clientAddress], { span, expected });
  });

  it("come back with a backup, under other names", async (test) => {
    const { cluster, client, span, expected } = await writtenCluster(test);
    const directory = scratchDirectory();
    const backup = join(directory, "backup.dkv");
    await pipeline(Readable.from(await client.backup()), createWriteStream(backup));
    await Promise.all(cluster.members.map((member) => member.kill()));

    const after = await preparedCluster(test, "tls", { members: 1, flags });
    const [member] = after.members;
    assert.ok(member !== undefined);
    const own = { name: "new-0", "initial-cluster": `new-0=${member.peerAddress}` };
    const restored = { ...own, "data-dir": join(directory, "new-0") };
    const words = Object.entries(restored).map(([name, value]) => `--${name}=${value}`);
    await run(process.execPath, [dkv, "restore", backup, ...words]);
    member.start(restored);
    await member.waitReady();
    await assertSameOnEach(test, [member.clientAddress], { span, expected });
  });
});
