import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { checkServerIdentity, connect, createServer, type ConnectionOptions, type TLSSocket } from "node:tls";
import { createAuthority, issueCertificate, type Credentials } from "../src/certificate.ts";

const authority = await createAuthority();
const hosts = ["localhost", "127.0.0.1", "::1", "dkv-0.example"];

describe("an issued certificate", () => {
  it("has a positive serial number, and no two have the same", async () => {
    const serials = new Set<string>();
    for (let round = 0; round < 8; round += 1) {
      const { certificate } = await issueCertificate(authority, {
        commonName: "x",
        hosts,
        usages: ["serverAuth"],
      });
      const { serialNumber } = new X509Certificate(certificate);
      assert.match(serialNumber, /^[4-7][0-9A-F]{31}$/);
      serials.add(serialNumber);
    }
    assert.equal(serials.size, 8);
  });

  it("is no CA, and is bound to its authority", async () => {
    const issuer = new X509Certificate(authority.certificate);
    const issued = await issueCertificate(authority, { commonName: "x", hosts, usages: ["serverAuth"] });
    const certificate = new X509Certificate(issued.certificate);
    assert.equal(issuer.ca, true);
    assert.equal(certificate.ca, false);
    assert.ok(certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey));
    const stranger = new X509Certificate((await createAuthority()).certificate);
    assert.equal(certificate.checkIssued(stranger), false);
  });

  it("carries two members through a mutual handshake, by name and by each address", async () => {
    const peer = await issueCertificate(authority, {
      commonName: "peer",
      hosts,
      usages: ["serverAuth", "clientAuth"],
    });
    for (const name of ["localhost", "dkv-0.example", "127.0.0.1", "::1"]) {
      assert.equal(await handshake({ server: peer, client: peer, name }), "welcome peer");
    }
    await assert.rejects(handshake({ server: peer, client: peer, name: "dkv-1.example" }), {
      code: "ERR_TLS_CERT_ALTNAME_INVALID",
    });
  });

  it("is only good for the usages that it was issued for", async () => {
    const server = await issueCertificate(authority, { commonName: "server", hosts, usages: ["serverAuth"] });
    const client = await issueCertificate(authority, {
      commonName: "client",
      hosts: [],
      usages: ["clientAuth"],
    });
    assert.equal(await handshake({ server, client, name: "localhost" }), "welcome client");
    await assert.rejects(handshake({ server, client: server, name: "localhost" }));
    await assert.rejects(handshake({ server: client, client, name: "localhost" }));
  });
});

interface Handshake {
  readonly server: Credentials;
  readonly client: Credentials;
  /** Whom the client believes to have reached. */
  readonly name: string;
}

/** What the server says to a client that it has verified. */
async function handshake({ server, client, name }: Handshake): Promise<string> {
  const ca = authority.certificate;
  const listener = createServer({
    ca,
    cert: server.certificate,
    key: server.key,
    requestCert: true,
    rejectUnauthorized: true,
  });
  listener.on("secureConnection", (socket: TLSSocket) =>
    socket.end(`welcome ${String(socket.getPeerCertificate().subject.CN)}`),
  );
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  const socket = connect({
    host: "127.0.0.1",
    port,
    ca,
    cert: client.certificate,
    key: client.key,
    checkServerIdentity: checkAs(name),
  });
  // A client that the server does not want hears nothing, or an alert: it depends on the reason.
  const closed = once(socket, "close").then(() => assert.fail("closed without a word"));
  try {
    const said = await Promise.race([once(socket, "data"), closed]);
    return String(said[0]);
  } finally {
    closed.catch(() => undefined);
    socket.destroy();
    listener.close();
  }
}

function checkAs(name: string): NonNullable<ConnectionOptions["checkServerIdentity"]> {
  return (_host, certificate) => checkServerIdentity(name, certificate);
}
