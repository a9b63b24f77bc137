import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { type DkvClient, DkvClientError } from "@dkv/client";
import type { Cluster, Member } from "@dkv/cluster";
import { addresses, connect, preparedCluster, scratchDirectory, text } from "./fixture.ts";

const mebibyte = 2 ** 20;

/** Two files of the log take 32 MiB of it, LevelDB some more. */
const diskBytes = 96 * mebibyte;

/** Whether this user may mount a file system, without which no disk of its own can be filled. */
const mayMount = ((): boolean => {
  const directory = scratchDirectory();
  try {
    mount(directory);
    unmount(directory);
    return true;
  } catch {
    return false;
  }
})();
const skip = mayMount ? false : "only root can mount the small disks that are filled here";

function mount(directory: string): void {
  const size = `size=${String(diskBytes)}`;
  execFileSync("mount", ["-t", "tmpfs", "-o", size, "tmpfs", directory], { stdio: "ignore" });
}

function unmount(directory: string): void {
  execFileSync("umount", ["--lazy", directory], { stdio: "ignore" });
}

/** A running cluster each of whose members has a small disk to itself. */
async function clusterOnSmallDisks(test: TestContext, reserve: string): Promise<Cluster> {
  const cluster = await preparedCluster(test, "cleartext", { flags: { "disk-free-reserve": reserve } });
  for (const { dataDir } of cluster.members) {
    mkdirSync(dataDir);
    mount(dataDir);
    test.after(() => {
      unmount(dataDir);
    });
  }
  await cluster.start();
  return cluster;
}

const ballast = ({ dataDir }: Member): string => join(dataDir, "somebody-elses-file");

/** Somebody else's file grows on the member's disk, to so many bytes or until there is no room. */
function fill(member: Member, bytes = Infinity): void {
  const descriptor = openSync(ballast(member), "w");
  const block = Buffer.alloc(4096);
  try {
    for (let written = 0; written < bytes; ) written += writeSync(descriptor, block);
  } catch (error) {
    assert.match(String(error), /ENOSPC/);
  } finally {
    closeSync(descriptor);
  }
}

/** Writes that were acknowledged, to be found again whatever happens. */
class Writes {
  readonly #client: DkvClient;
  readonly #keys: string[] = [];
  readonly #padding = "x".repeat(10_000);

  constructor(client: DkvClient) {
    this.#client = client;
  }

  async write(key: string): Promise<void> {
    await this.#client.set(key, `${key} ${this.#padding}`);
    this.#keys.push(key);
  }

  async areAllThere(client: DkvClient): Promise<void> {
    assert.ok(this.#keys.length > 0);
    for (const key of this.#keys)
      assert.equal(text((await client.get(key))?.value), `${key} ${this.#padding}`, key);
  }
}

const isDiskFull =
  (words: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof DkvClientError, String(error));
    assert.deepEqual([error.code, error.retry], ["disk_full", "notApplied"]);
    assert.match(error.message, words);
    return true;
  };

describe("a member whose disk fills up", { skip, timeout: 120_000 }, () => {
  it("refuses writes in time, reads and deletes, and goes on once there is room", async (test) => {
    const cluster = await clusterOnSmallDisks(test, "24MiB");
    const leader = cluster.member(await cluster.waitForLeader());
    const follower = cluster.members.find((member) => member !== leader);
    assert.ok(follower !== undefined);
    const client = await connect(test, "cleartext", addresses(cluster));
    const writes = new Writes(client);
    await client.set("unwanted", "value");
    for (let at = 0; at < 20; at += 1) await writes.write(`before-${String(at)}`);

    fill(leader, diskBytes - 56 * mebibyte);
    await leader.waitForLine(/"level":"error".*"freeBytes":\d+.*nearly full/);
    await assert.rejects(
      client.set("refused", "value", { timeoutMs: 1000 }),
      // The client asks the others too, which name the leader.
      isDiskFull(/(?:this member|the leader)'s disk is nearly full, .* free: nothing was written; make room/),
    );
    const answer = await follower.askJson("/dkv.v1.DkvAPI/Set", { key: "refused", value: "" });
    assert.match(JSON.stringify(answer), /"resource_exhausted".*the leader's disk is nearly full/);
    assert.equal((await client.delete("unwanted")).deleted, true);
    assert.equal(await client.get("refused"), undefined);
    await writes.areAllThere(client);

    rmSync(ballast(leader));
    await leader.waitForLine(/the disk has room again/);
    for (let at = 0; at < 20; at += 1) await writes.write(`after-${String(at)}`);
    await Promise.all(cluster.members.map((member) => member.kill()));
    await cluster.start();
    await writes.areAllThere(client);
    assert.equal(await client.get("unwanted"), undefined);
  });

  it("stops with one line that says so if nothing is reserved, and comes back once there is room", async (test) => {
    const cluster = await clusterOnSmallDisks(test, "0");
    const leader = cluster.member(await cluster.waitForLeader());
    const others = cluster.members.filter((member) => member !== leader);
    const client = await connect(test, "cleartext", addresses(cluster));
    const writes = new Writes(client);
    await writes.write("before");
    fill(leader);
    const ended = leader.waitForEnd();
    for (let at = 0; leader.isRunning; at += 1) {
      // Whether the one under way was written when its leader stopped is not known.
      await writes.write(`meanwhile-${String(at)}`).catch((error: unknown) => {
        assert.ok(error instanceof DkvClientError && error.retry === "outcomeUnknown", String(error));
      });
    }
    assert.deepEqual(await ended, { code: 1, signal: undefined });
    const lastWords = leader.log.slice(leader.log.findIndex((line) => line.startsWith("dkv: ")));
    assert.equal(lastWords.length, 1, lastWords.join("\n"));
    assert.ok(lastWords[0]?.includes(`the disk of ${leader.dataDir} is full (`), lastWords[0]);
    assert.match(lastWords[0] ?? "", /No space left on device|ENOSPC.*make room there and start this member/);

    const rest = await connect(
      test,
      "cleartext",
      others.map((member) => member.clientAddress),
    );
    await rest.set("without it", "value");
    await writes.areAllThere(rest);

    leader.start();
    assert.deepEqual(await leader.waitForEnd(), { code: 1, signal: undefined });
    assert.match(leader.log.at(-1) ?? "", /^dkv: .*(No space left on device|ENOSPC)/);
    rmSync(ballast(leader));
    leader.start();
    await leader.waitReady();
    // The returned one is needed now.
    await others[0]?.kill();
    await cluster.waitForLeader();
    const returned = await connect(test, "cleartext", [leader.clientAddress]);
    await writes.write("afterwards");
    await writes.areAllThere(returned);
    assert.equal(text((await returned.get("without it"))?.value), "value");
  });
});
