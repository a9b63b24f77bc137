/** What the integration tests share: certificates made once, and clusters that end with the test. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext } from "node:test";
import { makeCertificates } from "@dkv/certificates";
import { DkvClient } from "@dkv/client";
import { type Cluster, type ClusterOptions, prepareCluster } from "@dkv/cluster";

const scratch = mkdtempSync(join(tmpdir(), "dkv-integration-"));
after(() => {
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
    await Promise.all(cluster.members.filter((member) => member.isRunning).map((member) => member.kill()));
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

export function addresses(cluster: Cluster): readonly string[] {
  return cluster.members.map((member) => member.clientAddress);
}

export function text(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(value).toString();
}
