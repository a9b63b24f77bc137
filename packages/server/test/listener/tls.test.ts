import assert from "node:assert/strict";
import { once } from "node:events";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import http2 from "node:http2";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import tls, { type TLSSocket } from "node:tls";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { createAuthority, issueCertificate, makeCertificates, revoke } from "@dkv/certificates";
import { DkvAPI } from "@dkv/protocol/dkv/v1/dkv";
import { openClientPort } from "../api/client-port.ts";
import { frame, rawCall, statusOf } from "../api/raw-http2.ts";

const set = frame(Buffer.from([0x0a, 1, 0x6b]));

describe("the client port with TLS", () => {
  let directory = "";
  let ca: Buffer = Buffer.alloc(0);
  const path = (name: string): string => join(directory, name);
  const server = () => ({
    certFile: path("server.pem"),
    keyFile: path("server-key.pem"),
    trustedCaFile: undefined,
  });

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "dkv-client-port-"));
    await makeCertificates({ directory, hosts: [] });
    ca = await readFile(path("ca.pem"));
  });
  after(() => rm(directory, { recursive: true }));

  const connect = async (port: number, options: tls.ConnectionOptions = {}): Promise<TLSSocket> => {
    const socket = tls.connect({ port, host: "127.0.0.1", ca, ...options });
    await once(socket, "secureConnect");
    return socket;
  };

  it("speaks HTTP/2 by ALPN", async (t) => {
    const { url } = await openClientPort(t, { tls: server() });
    const dkv = createClient(DkvAPI, createGrpcTransport({ baseUrl: url, nodeOptions: { ca } }));
    await dkv.set({ key: "k", value: Buffer.from("v") });
    assert.equal(Buffer.from((await dkv.get({ key: "k" })).value).toString(), "v");
  });

  it("speaks HTTP/2 to clients that do not negotiate it", async (t) => {
    const { port, url, bypassed } = await openClientPort(t, { tls: server() });
    const socket = await connect(port);
    assert.equal(socket.alpnProtocol, false);
    const session = http2.connect(url, { createConnection: () => socket });
    assert.equal(statusOf(await rawCall(session, { ":path": "/dkv.v1.DkvAPI/Set" }, [set])), 0);
    assert.equal(bypassed(), 1);
    session.destroy();
  });

  it("speaks HTTP/1.1, negotiated or not", async (t) => {
    const { port } = await openClientPort(t, { tls: server() });
    for (const ALPNProtocols of [["http/1.1"], undefined]) {
      const request = https.get({
        port,
        host: "127.0.0.1",
        path: "/version",
        ca,
        agent: false,
        ...(ALPNProtocols && { ALPNProtocols }),
      });
      const [response] = await once(request, "response");
      assert.equal(response.statusCode, 200);
      response.resume();
    }
  });

  it("refuses versions of TLS before 1.2", async (t) => {
    const { port } = await openClientPort(t, { tls: server() });
    const old = connect(port, { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" });
    await assert.rejects(old);
    assert.equal((await connect(port, { maxVersion: "TLSv1.2" })).getProtocol(), "TLSv1.2");
  });

  it("wants a certificate of clients exactly when it has a CA for them", async (t) => {
    const { url } = await openClientPort(t, { tls: { ...server(), trustedCaFile: path("ca.pem") } });
    const client = { cert: await readFile(path("client.pem")), key: await readFile(path("client-key.pem")) };
    const known = createClient(DkvAPI, createGrpcTransport({ baseUrl: url, nodeOptions: { ca, ...client } }));
    await known.set({ key: "k" });
    const unknown = createClient(DkvAPI, createGrpcTransport({ baseUrl: url, nodeOptions: { ca } }));
    await assert.rejects(unknown.set({ key: "k" }));
  });

  it("turns away who is on the list of revoked certificates, from when it is", async (t) => {
    const authority = await createAuthority();
    const issue = (commonName: string, usage: "serverAuth" | "clientAuth", hosts: readonly string[] = []) =>
      issueCertificate(authority, { commonName, hosts, usages: [usage] });
    const own = await issue("server", "serverAuth", ["127.0.0.1", "localhost"]);
    const [good, bad] = [await issue("good", "clientAuth"), await issue("bad", "clientAuth")];
    const crl = path("crl.pem");
    for (const [name, content] of [
      ["own.pem", own.certificate],
      ["own-key.pem", own.key],
      ["own-ca.pem", authority.certificate],
      ["crl.pem", revoke(authority, [])],
    ] as const)
      await writeFile(path(name), content);
    const { port } = await openClientPort(t, {
      tls: {
        certFile: path("own.pem"),
        keyFile: path("own-key.pem"),
        trustedCaFile: path("own-ca.pem"),
        crlFile: crl,
      },
    });
    const isLetIn = async ({ certificate: cert, key }: typeof good): Promise<boolean> => {
      const socket = tls.connect({ port, host: "127.0.0.1", ca: authority.certificate, cert, key });
      socket.write("GET /version HTTP/1.1\r\nhost: x\r\n\r\n");
      const outcome = await Promise.race([
        once(socket, "data").then(
          () => true,
          () => false,
        ),
        once(socket, "close").then(
          () => false,
          () => false,
        ),
      ]);
      socket.destroy();
      return outcome;
    };
    assert.deepEqual([await isLetIn(good), await isLetIn(bad)], [true, true]);
    await writeFile(crl, revoke(authority, [bad.certificate]));
    while (await isLetIn(bad));
    assert.equal(await isLetIn(good), true);
  });

  it("lets in who has one of the names that are allowed, and nobody else", async (t) => {
    const allowing = async (...hosts: readonly string[]) => {
      const allowed = { commonNames: [], hosts };
      const { url } = await openClientPort(t, {
        tls: { ...server(), trustedCaFile: path("ca.pem"), allowed },
      });
      const own = { cert: await readFile(path("peer.pem")), key: await readFile(path("peer-key.pem")) };
      return createClient(DkvAPI, createGrpcTransport({ baseUrl: url, nodeOptions: { ca, ...own } })).set({
        key: "k",
      });
    };
    await allowing("other.example", "localhost");
    await assert.rejects(allowing("other.example"));
  });

  it("uses only what it was told to use", async (t) => {
    const only = (ciphers: string | undefined, maxVersion: "TLSv1.2" | undefined) =>
      openClientPort(t, { tls: { ...server(), protocol: { ciphers, minVersion: "TLSv1.2", maxVersion } } });
    const { port } = await only("ECDHE-RSA-AES256-GCM-SHA384", "TLSv1.2");
    const socket = await connect(port);
    assert.deepEqual(
      [socket.getProtocol(), socket.getCipher().name],
      ["TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384"],
    );
    await assert.rejects(connect(port, { ciphers: "ECDHE-RSA-AES128-GCM-SHA256" }));
  });

  it("shows new clients a new certificate once its file has changed", async (t) => {
    const shown = await mkdtemp(join(tmpdir(), "dkv-reload-"));
    t.after(() => rm(shown, { recursive: true }));
    const files = {
      certFile: join(shown, "cert.pem"),
      keyFile: join(shown, "key.pem"),
      trustedCaFile: undefined,
    };
    const show = async (name: string): Promise<void> => {
      await copyFile(path(`${name}-key.pem`), files.keyFile);
      await copyFile(path(`${name}.pem`), files.certFile);
    };
    await show("server");
    const { port } = await openClientPort(t, { tls: files });
    const shownName = async (): Promise<unknown> => {
      const socket = await connect(port);
      const { subject } = socket.getPeerCertificate();
      socket.destroy();
      return subject.CN;
    };
    assert.equal(await shownName(), "dkv server");
    await show("peer");
    while ((await shownName()) !== "dkv peer") await new Promise((resolve) => setTimeout(resolve, 50));
  });

  it("outlives garbage instead of a handshake, and closes a handshake that takes too long", async (t) => {
    const { port, url } = await openClientPort(t, { tls: server(), limits: { openingTimeoutMs: 200 } });
    const net = await import("node:net");
    const garbage = net.connect(port, "127.0.0.1");
    garbage.on("error", () => undefined).resume();
    garbage.write("PRI * HTTP/2.0\r\n\r\n");
    await once(garbage, "close");
    const silent = net.connect(port, "127.0.0.1");
    silent.on("error", () => undefined).resume();
    await once(silent, "close");
    const secureAndSilent = await connect(port);
    secureAndSilent.on("error", () => undefined).resume();
    await once(secureAndSilent, "close");
    const dkv = createClient(DkvAPI, createGrpcTransport({ baseUrl: url, nodeOptions: { ca } }));
    await dkv.set({ key: "k" });
  });

  it("closes in good order", async (t) => {
    const { port, close } = await openClientPort(t, { tls: server() });
    const silent = await connect(port);
    silent.on("error", () => undefined).resume();
    const session = http2.connect(`https://127.0.0.1:${String(port)}`, { ca });
    await once(session, "connect");
    const ends = Promise.all([once(silent, "close"), once(session, "close")]);
    await close(5000);
    await ends;
  });
});
