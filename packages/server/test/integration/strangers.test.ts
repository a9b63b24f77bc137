import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import net, { type Socket } from "node:net";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import tls from "node:tls";
import { issueCertificate } from "@dkv/certificates";
import type { Cluster, Member } from "@dkv/cluster";
import {
  addresses,
  certificates,
  connect,
  freshCertificates,
  preparedCluster,
  runningCluster,
  text,
} from "./fixture.ts";

function at(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}

/** Resolves when the other side has closed or reset the connection. */
async function isCutOff(socket: Socket): Promise<void> {
  socket.on("error", () => undefined);
  socket.resume();
  if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve));
}

async function stillServes(test: TestContext, cluster: Cluster): Promise<void> {
  const client = await connect(test, "tls", addresses(cluster));
  await client.set("after", "all");
  assert.equal(text((await client.get("after"))?.value), "all");
}

/** The first member of a cluster of three, and a running majority of the other two. */
async function clusterWithoutOne(test: TestContext): Promise<{ cluster: Cluster; newcomer: Member }> {
  const cluster = await preparedCluster(test, "tls");
  const [newcomer, ...others] = cluster.members;
  assert.ok(newcomer !== undefined);
  for (const member of others) member.start();
  await Promise.all(others.map((member) => member.waitReady()));
  await cluster.waitForLeader();
  return { cluster, newcomer };
}

describe("strangers at the peer port", () => {
  it("a member with a certificate of another CA takes no part", { timeout: 60_000 }, async (test) => {
    const { cluster, newcomer } = await clusterWithoutOne(test);
    const foreign = await freshCertificates();
    newcomer.start({
      "peer-cert-file": join(foreign, "peer.pem"),
      "peer-key-file": join(foreign, "peer-key.pem"),
      "peer-trusted-ca-file": join(foreign, "ca.pem"),
    });
    await newcomer.waitForLine(/"level":"warn".*(cert|issuer|TLS|refus)/i);
    assert.equal(await cluster.leader().then((leader) => leader === newcomer.name), false);
    await stillServes(test, cluster);
  });

  it("no certificate, or one of the right CA for another host, is turned away", async (test) => {
    const cluster = await runningCluster(test, "tls");
    const [member] = cluster.members;
    assert.ok(member !== undefined);
    const directory = await certificates();
    const ca = readFileSync(join(directory, "ca.pem"));
    const without = tls.connect({ ...at(member.peerAddress), ca });
    await isCutOff(without);

    const authority = {
      certificate: ca.toString(),
      key: readFileSync(join(directory, "ca-key.pem"), "utf8"),
    };
    const wrong = await issueCertificate(authority, {
      commonName: "elsewhere",
      hosts: ["elsewhere.example"],
      usages: ["clientAuth", "serverAuth"],
    });
    const socket = tls.connect({ ...at(member.peerAddress), ca, cert: wrong.certificate, key: wrong.key });
    socket.on("secureConnect", () => socket.write(Buffer.from([0, 0, 0, 0])));
    await isCutOff(socket);
    await stillServes(test, cluster);
  });

  it("garbage and frames over the limit end that connection and nothing else", async (test) => {
    const cluster = await runningCluster(test, "tls");
    const [member] = cluster.members;
    assert.ok(member !== undefined);
    const directory = await certificates();
    const credentials = {
      ca: readFileSync(join(directory, "ca.pem")),
      cert: readFileSync(join(directory, "peer.pem")),
      key: readFileSync(join(directory, "peer-key.pem")),
    };
    for (const bytes of [
      Buffer.from([0xff, 0xff, 0xff, 0xff]),
      Buffer.from([0, 0, 0, 3, 1, 2, 3]),
      randomBytes(4096),
    ]) {
      const socket = tls.connect({ ...at(member.peerAddress), ...credentials });
      socket.on("secureConnect", () => socket.write(bytes));
      await isCutOff(socket);
    }
    const plain = net.connect(at(member.peerAddress));
    plain.write("GET / HTTP/1.1\r\n\r\n");
    await isCutOff(plain);
    assert.ok(member.isRunning);
    await stillServes(test, cluster);
  });

  it("a connection that never says who it is is closed in time", { timeout: 60_000 }, async (test) => {
    const cluster = await runningCluster(test, "tls");
    const [member] = cluster.members;
    assert.ok(member !== undefined);
    await Promise.all([
      isCutOff(net.connect(at(member.peerAddress))),
      isCutOff(net.connect(at(member.clientAddress))),
    ]);
    await stillServes(test, cluster);
  });
});

describe("strangers at the client port", () => {
  it("garbage ends that connection and nothing else", async (test) => {
    const cluster = await runningCluster(test, "cleartext");
    const [member] = cluster.members;
    assert.ok(member !== undefined);
    for (const bytes of [
      randomBytes(4096),
      Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff garbage"),
      Buffer.from("\0\0\0"),
    ]) {
      const socket = net.connect(at(member.clientAddress));
      socket.end(bytes);
      await isCutOff(socket);
    }
    assert.ok(member.isRunning);
    const client = await connect(test, "cleartext", addresses(cluster));
    await client.set("after", "all");
  });
});
