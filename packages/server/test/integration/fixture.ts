/** What the integration tests share: certificates made once, and clusters that end with the test. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext } from "node:test";
import { makeCertificates } from "@dkv/certificates";
import { DkvClient } from "@dkv/client";
import { type Cluster, type ClusterOptions, type Flags, type Member, prepareCluster } from "@dkv/cluster";

const scratch = mkdtempSync(join(tmpdir(), "dkv-integration-"));
/** Clusters that end with the file's tests. */
const longLived: Cluster[] = [];

after(async () => {
  await Promise.all(longLived.map(killAll));
  rmSync(scratch, { recursive: true, force: true });
});

/** An empty directory that is gone when the file's tests have ended. */
export function scratchDirectory(): string {
  return mkdtempSync(join(scratch, "d-"));
}

/** Makes a CA of its own with certificates for this machine, and returns their directory. */
export async function freshCertificates(hosts: readonly string[] = []): Promise<string> {
  const directory = scratchDirectory();
  await makeCertificates({ directory, hosts: [...hosts] });
  return directory;
}

let shared: Promise<string> | undefined;

/** The same for all tests of a file: making keys takes a while. */
export function certificates(): Promise<string> {
  shared ??= freshCertificates();
  return shared;
}

export type Security = "tls" | "cleartext";

/** A cluster whose members do not run yet; they are killed when the test ends. */
export async function preparedCluster(
  test: TestContext,
  security: Security,
  options: Partial<ClusterOptions> = {},
): Promise<Cluster> {
  const tls = security === "tls" ? { certificates: await certificates() } : undefined;
  const cluster = await prepareCluster({ directory: scratchDirectory(), tls, ...options });
  test.after(async () => {
    await killAll(cluster);
  });
  return cluster;
}

/** A running cluster with a leader. */
export async function runningCluster(
  test: TestContext,
  security: Security,
  options: Partial<ClusterOptions> = {},
): Promise<Cluster> {
  const cluster = await preparedCluster(test, security, options);
  await cluster.start();
  await cluster.waitForLeader();
  return cluster;
}

/** A running cluster with a leader and TLS, for all tests of a file. */
export async function longLivedCluster(): Promise<Cluster> {
  const cluster = await prepareCluster({
    directory: scratchDirectory(),
    tls: { certificates: await certificates() },
  });
  longLived.push(cluster);
  await cluster.start();
  await cluster.waitForLeader();
  return cluster;
}

async function killAll({ members }: Cluster): Promise<void> {
  await Promise.all(members.filter((member) => member.isRunning).map((member) => member.kill()));
}

/** A client of these addresses, closed when the test ends. */
export async function connect(
  test: TestContext,
  security: Security,
  endpoints: readonly string[],
): Promise<DkvClient> {
  const tls = security === "tls" ? { caFile: join(await certificates(), "ca.pem") } : undefined;
  const client = new DkvClient({ endpoints, tls, timeoutMs: 10_000 });
  test.after(() => {
    client.close();
  });
  return client;
}

/** Clients that each know one member only, closed when the test ends. */
export function connectToEach(
  test: TestContext,
  security: Security,
  members: readonly Member[],
): Promise<DkvClient[]> {
  return Promise.all(members.map((member) => connect(test, security, [member.clientAddress])));
}

export function addresses(cluster: Cluster): readonly string[] {
  return cluster.members.map((member) => member.clientAddress);
}

export function text(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(value).toString();
}

/** The member at this place in the cluster's list. */
export function memberAt({ members }: Cluster, at: number): Member {
  const member = members[at];
  assert.ok(member !== undefined, `a cluster of ${String(members.length)} has no member ${String(at)}`);
  return member;
}

/** Those that do not lead now. */
export async function followersIn(cluster: Cluster): Promise<readonly [Member, Member, ...Member[]]> {
  const leader = await cluster.waitForLeader();
  const [first, second, ...others] = cluster.members.filter((member) => member.name !== leader);
  assert.ok(first !== undefined && second !== undefined, "at least two follow");
  return [first, second, ...others];
}

/** Adds a member under a new name, starts it, and waits until it has a vote. */
export async function grow(cluster: Cluster, client: DkvClient, name: string): Promise<Member> {
  const member = await cluster.newMember(name);
  await client.memberJoin(name, member.peerAddress);
  member.start();
  await member.waitReady();
  await cluster.waitForVoters(cluster.members.map((one) => one.name));
  return member;
}

/** Starts a member that has been added, and whose directory is empty now, whatever it was before. */
export async function startAnew(member: Member, flags: Flags = {}): Promise<void> {
  rmSync(member.dataDir, { recursive: true, force: true });
  member.start({ "initial-cluster-state": "existing", ...flags });
  await member.waitReady();
}

/** Resolves to what a member says as it ends, with 0 or another exit code, in one line for people. */
export async function lastWords(member: Member, code: number): Promise<string> {
  const ending = await member.waitForEnd();
  const words = member.log.findLast((line) => line.startsWith("dkv: ")) ?? "";
  assert.deepEqual(ending, { code, signal: undefined }, `${member.name}: ${words}`);
  return words;
}

/** What a member says that was removed from its cluster. */
export const wasRemoved =
  /^dkv: this member was removed from its cluster: the data in .* must not be used again/;
