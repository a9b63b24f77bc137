/** The worst day: everything is gone but a backup. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Cluster, Flags } from "@dkv/cluster";
import type { GetResult } from "@dkv/client";
import { readBackup } from "@dkv/snapshot";
import {
  addresses,
  certificates,
  connect,
  preparedCluster,
  runningCluster,
  scratchDirectory,
  text,
} from "./fixture.ts";

const run = promisify(execFile);
const binary = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** Runs a program of dkv's, and gives what it prints. */
async function dkv(...words: readonly string[]): Promise<string> {
  return (await run(process.execPath, [binary("server/bin/dkv.js"), ...words])).stdout;
}

async function dkvctl(endpoints: readonly string[], ...words: readonly string[]): Promise<string> {
  const flags = [`--endpoint=${endpoints.join(",")}`, `--cacert=${join(await certificates(), "ca.pem")}`];
  return (await run(process.execPath, [binary("dkvctl/bin/dkvctl.js"), ...flags, ...words])).stdout;
}

const keys = Array.from({ length: 120 }, (_, number) => `key ${String(number)}`);

/** Sets all keys, some of them again, and deletes some. */
async function write(
  test: TestContext,
  cluster: Cluster,
): Promise<ReadonlyMap<string, GetResult | undefined>> {
  const client = await connect(test, "tls", addresses(cluster));
  await Promise.all(keys.map((key) => client.set(key, `first of ${key}`)));
  await Promise.all(keys.slice(0, 50).map((key) => client.set(key, `second of ${key}`)));
  await Promise.all(keys.slice(40, 60).map((key) => client.delete(key)));
  await Promise.all(keys.slice(55, 60).map((key) => client.set(key, `third of ${key}`)));
  return valuesOf(client);
}

async function valuesOf(client: Awaited<ReturnType<typeof connect>>) {
  const found = await Promise.all(keys.map(async (key) => [key, await client.get(key)] as const));
  return new Map(found);
}

/** The same members with other names, addresses and data. */
function renamed(cluster: Cluster, directory: string): readonly Flags[] {
  const name = (position: number): string => `new-${String(position)}`;
  const initialCluster = cluster.members
    .map(({ peerAddress }, position) => `${name(position)}=${peerAddress}`)
    .join(",");
  return cluster.members.map((_, position) => ({
    name: name(position),
    "initial-cluster": initialCluster,
    "data-dir": join(directory, name(position)),
  }));
}

/** Revision of the state in a backup that this client asks for. */
async function revisionOf(backup: AsyncGenerator<Uint8Array>): Promise<number> {
  let revision = 0;
  for await (const part of readBackup(backup)) if (part.kind === "header") ({ revision } = part.header);
  return revision;
}

describe("a backup", () => {
  it("has everything that was acknowledged before it was asked for, on whichever member", {
    timeout: 60_000,
  }, async (test) => {
    const cluster = await runningCluster(test, "tls");
    const writes = await connect(test, "tls", addresses(cluster));
    for (const address of addresses(cluster)) {
      const asks = await connect(test, "tls", [address]);
      const { header } = await writes.set("key", "value");
      assert.equal(await revisionOf(await asks.backup()), header.revision);
    }
  });

  it("brings everything back under new names and addresses, when all else is lost", {
    timeout: 120_000,
  }, async (test) => {
    const directory = scratchDirectory();
    const backup = join(directory, "backup.dkv");
    const before = await runningCluster(test, "tls");
    const written = await write(test, before);
    await dkvctl(addresses(before), "snapshot", "save", backup);
    const client = await connect(test, "tls", addresses(before));
    await client.set("key 0", "after the backup");
    await Promise.all(before.members.map((member) => member.kill()));
    await Promise.all(before.members.map(({ dataDir }) => rm(dataDir, { recursive: true })));

    const after = await preparedCluster(test, "tls");
    const flags = renamed(after, directory);
    for (const each of flags) {
      const words = Object.entries(each).map(([name, value]) => `--${name}=${String(value)}`);
      assert.match(await dkv("restore", backup, ...words), /restored 105 keys at revision 196 into/);
    }
    for (const [position, member] of after.members.entries()) member.start(flags[position]);
    await Promise.all(after.members.map((member) => member.waitReady()));

    const restored = await connect(test, "tls", addresses(after));
    const found = await valuesOf(restored);
    for (const [key, value] of written) {
      const { header: _, ...expected } = value ?? { header: undefined };
      const { header: __, ...actual } = found.get(key) ?? { header: undefined };
      assert.deepEqual(actual, expected, key);
    }
    const { header } = await restored.set("key 0", "a new life");
    assert.equal(header.revision, 197);
    assert.equal(text((await restored.get("key 0"))?.value), "a new life");
    const { members } = await restored.members();
    assert.deepEqual(
      members.map(({ id }) => id),
      ["new-0", "new-1", "new-2"],
    );
  });
});
