import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import http2, { type ClientHttp2Session } from "node:http2";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import tls, { type TLSSocket } from "node:tls";
import { DkvClient } from "@dkv/client";
import type { Cluster, Member } from "@dkv/cluster";
import { addresses, freshCertificates, preparedCluster, scratchDirectory, text } from "./fixture.ts";

/** Lines that members print, which can be waited for in numbers. */
class Lines {
  #count = 0;
  #pattern = /$^/;
  #wanted = 0;
  #enough = (): void => undefined;

  readonly onLine = (_member: string, line: string): void => {
    if (!this.#pattern.test(line)) return;
    this.#count += 1;
    if (this.#count === this.#wanted) this.#enough();
  };

  /** Resolves once so many lines that match have come, from now on. */
  next(count: number, pattern: RegExp): Promise<void> {
    [this.#count, this.#pattern, this.#wanted] = [0, pattern, count];
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#enough = resolve;
    return promise;
  }
}

/** Each of three members watches the files of its peer port and of its client port. */
const watches = 6;
const changed = /certificates changed; new connections use them/;
const unusable = /certificates changed and cannot be used; the old ones stay/;

/** Puts a file in place of another at one blow, as the tools do that renew certificates. */
function replace(path: string, content: string | Buffer): void {
  writeFileSync(`${path}.new`, content, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** The directory that members and clients are started with, and whose files are replaced. */
class Files {
  readonly directory = scratchDirectory();

  readonly path = (name: string): string => join(this.directory, `${name}.pem`);

  trust(...authorities: readonly string[]): void {
    replace(this.path("ca"), authorities.map((one) => readFileSync(join(one, "ca.pem"))).join("\n"));
  }

  keys(from: string): void {
    for (const role of ["peer", "server"] as const)
      replace(this.path(`${role}-key`), readFileSync(join(from, `${role}-key.pem`)));
  }

  certificates(from: string): void {
    for (const role of ["peer", "server"] as const)
      replace(this.path(role), readFileSync(join(from, `${role}.pem`)));
  }

  client(from: string): void {
    for (const name of ["client-key", "client"])
      replace(this.path(name), readFileSync(join(from, `${name}.pem`)));
  }
}

interface Load {
  readonly written: ReadonlyMap<string, string>;
  /** Ends it. Rejects if a single write has failed. */
  stop(): Promise<void>;
}

/**
 * Writes to keys of their own, one after the other: over a connection to the leader that stays, and over one
 * for each write to every member, most of which hand it on.
 */
function startLoad(client: DkvClient, members: readonly Member[]): Load {
  const written = new Map<string, string>();
  let isRunning = true;
  const ways = [
    (key: string, value: string) => client.set(key, value),
    ...members.map((member) => async (key: string, value: string) => {
      const answer = await member.askJson("/dkv.v1.DkvAPI/Set", {
        key,
        value: Buffer.from(value).toString("base64"),
      });
      assert.ok(isHeaded(answer), `${member.name}: ${JSON.stringify(answer)}`);
    }),
  ];
  const loops = ways.map(async (write, number) => {
    for (let round = 0; isRunning; round += 1) {
      const [key, value] = [`key-${String(number)}-${String(round % 100)}`, String(round)];
      await write(key, value);
      written.set(key, value);
    }
  });
  const ended = Promise.all(loops);
  ended.catch(() => undefined);
  return {
    written,
    async stop() {
      isRunning = false;
      await ended;
    },
  };
}

const isHeaded = (answer: unknown): boolean =>
  typeof answer === "object" && answer !== null && "header" in answer;

function clientOf(test: TestContext, { path }: Files, endpoints: readonly string[]): DkvClient {
  const tlsFiles = { caFile: path("ca"), certFile: path("client"), keyFile: path("client-key") };
  const client = new DkvClient({ endpoints, tls: tlsFiles, timeoutMs: 10_000 });
  test.after(() => {
    client.close();
  });
  return client;
}

interface Identity {
  readonly cert: Buffer;
  readonly key: Buffer;
}

const identityIn = (directory: string, role: "client" | "peer"): Identity => ({
  cert: readFileSync(join(directory, `${role}.pem`)),
  key: readFileSync(join(directory, `${role}-key.pem`)),
});

function dial(address: string, identity: Identity, ca: Buffer): TLSSocket {
  const [host = "", port = ""] = address.split(":");
  return tls.connect({ host, port: Number(port), ca, ...identity });
}

/** Resolves when it is closed, be it after an error: who lets go of a connection may do so with a reset. */
function isClosed(one: ClientHttp2Session | TLSSocket): Promise<true> {
  one.on("error", () => undefined);
  return new Promise((resolve) => {
    if (one.destroyed) resolve(true);
    one.once("close", () => {
      resolve(true);
    });
  });
}

/** Whether a member talks to whoever shows this certificate. TLS 1.3 refuses only after the handshake. */
async function isAccepted(address: string, identity: Identity, ca: Buffer): Promise<boolean> {
  const session = http2.connect(`https://${address}`, { ca, ...identity });
  const isRefused = isClosed(session);
  try {
    const request = session.request({ ":path": "/livez" });
    request.on("error", () => undefined);
    const isAnswered = new Promise<true>((resolve) => {
      request.once("response", () => {
        resolve(true);
      });
    });
    return await Promise.race([isAnswered, isRefused.then(() => false)]);
  } finally {
    session.destroy();
  }
}

/** Resolves when the other side has closed or reset the connection. */
async function isCutOff(socket: TLSSocket): Promise<void> {
  socket.resume();
  await isClosed(socket);
}

async function startedWith(test: TestContext, files: Files, lines: Lines): Promise<Cluster> {
  const cluster = await preparedCluster(test, "tls", {
    tls: { certificates: files.directory },
    flags: { "trusted-ca-file": files.path("ca") },
    onLine: lines.onLine,
  });
  await cluster.start();
  await cluster.waitForLeader();
  return cluster;
}

describe("a cluster whose CA is replaced", { timeout: 120_000 }, () => {
  it("goes on without a restart and without a failed write, and in the end trusts the new one alone", async (test) => {
    const [old, fresh] = [await freshCertificates(), await freshCertificates()];
    const [oldCa, freshCa] = [old, fresh].map((one) => readFileSync(join(one, "ca.pem")));
    assert.ok(oldCa !== undefined && freshCa !== undefined);
    const files = new Files();
    files.trust(old);
    files.keys(old);
    files.certificates(old);
    files.client(old);
    const lines = new Lines();
    const cluster = await startedWith(test, files, lines);
    const load = startLoad(clientOf(test, files, addresses(cluster)), cluster.members);
    const [first] = cluster.members;
    assert.ok(first !== undefined);
    const held = http2.connect(`https://${first.clientAddress}`, { ca: oldCa, ...identityIn(old, "client") });
    await once(held, "connect");
    const isLetGo = isClosed(held);

    let seen = lines.next(watches, changed);
    files.trust(old, fresh);
    await seen;
    assert.ok(await isAccepted(first.clientAddress, identityIn(fresh, "client"), oldCa), "both are trusted");

    seen = lines.next(watches, unusable);
    files.keys(fresh);
    await seen;
    assert.ok(await isAccepted(first.clientAddress, identityIn(old, "client"), oldCa), "the old pair stays");
    seen = lines.next(watches, changed);
    files.certificates(fresh);
    files.client(fresh);
    await seen;
    assert.ok(await isAccepted(first.clientAddress, identityIn(old, "client"), freshCa), "both are trusted");

    seen = lines.next(watches, changed);
    files.trust(fresh);
    await seen;
    for (const { clientAddress, peerAddress } of cluster.members) {
      assert.ok(await isAccepted(clientAddress, identityIn(fresh, "client"), freshCa));
      assert.equal(await isAccepted(clientAddress, identityIn(old, "client"), freshCa), false);
      await isCutOff(dial(peerAddress, identityIn(old, "peer"), freshCa));
    }
    await isLetGo;
    await load.stop();
    const reader = clientOf(test, files, addresses(cluster));
    assert.ok(load.written.size > 100);
    for (const [key, value] of load.written) assert.equal(text((await reader.get(key))?.value), value, key);
  });
});
