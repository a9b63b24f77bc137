import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { renameSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import tls, { TLSSocket } from "node:tls";
import { createAuthority, issueCertificate, revoke } from "@dkv/certificates";
import { decodeHelloReply, encodeHelloReply } from "../../src/codec/handshake-codec.ts";
import { StartupError } from "../../src/platform/startup-error.ts";
import { peerTransportContract } from "./contract.ts";
import {
  addresses,
  authority,
  connected,
  dial,
  exchange,
  impostor,
  issue,
  member,
  portOf,
  Record,
  replyOf,
  start as startMember,
  started,
  tlsFiles,
} from "./fixture.ts";

const here = await issue(["localhost", "127.0.0.1"]);
const elsewhere = await issue(["elsewhere.example"]);
const nowhere = await issue([]);
const stranger = await issue(["localhost"], await createAuthority());
const expired = await issueCertificate(authority, {
  commonName: "localhost",
  hosts: ["localhost"],
  usages: ["serverAuth", "clientAuth"],
  from: new Date("2020-01-01"),
  days: 1,
});
const files = tlsFiles(authority, here);

peerTransportContract("with mutual TLS", { overrides: { tls: files }, credentials: here });

const refused = ({ msg }: { msg: string }) => msg === "refused a peer connection";
const unreachable = ({ msg }: { msg: string }) => msg === "cannot reach peer; trying again";

describe("a member that is dialled", () => {
  it("refuses a certificate of another CA, and none at all, before it reads a byte", async () => {
    const all = await addresses(2);
    const a = await started(all, 0, { tls: files });
    for (const [credentials, reason] of [
      [stranger, /^its certificate is not signed by a .* that this member trusts \([A-Z_]+\)$/],
      [expired, /^its certificate has expired \(CERT_HAS_EXPIRED\)$/],
      [{}, /^it was asked for a certificate and gave none \(ERR_SSL_[A-Z_]+\)$/],
    ] as const) {
      const from = a.log.items.length;
      const other = dial(a.address, credentials);
      other.hello(all, 1, 0);
      await other.closed;
      assert.match((await a.log.find(refused, from)).reason ?? "", reason);
      assert.equal(other.frames.items.length, 0);
    }
    const from = a.log.items.length;
    const clear = dial(a.address);
    clear.hello(all, 1, 0);
    await clear.closed;
    assert.equal(
      (await a.log.find(refused, from)).reason,
      "it does not speak TLS and this member was told to (ERR_SSL_WRONG_VERSION_NUMBER)",
    );
  });

  it("refuses a certificate of its CA that belongs to somebody else, or to nobody", async () => {
    const all = await addresses(2);
    const a = await started(all, 0, { tls: files });
    for (const credentials of [elsewhere, nowhere]) {
      const other = dial(a.address, credentials);
      other.hello(all, 1, 0);
      assert.match(
        decodeHelloReply(await other.frames.find(() => true)).refusal,
        /names neither dkv-2 nor the host of its peer address localhost/,
      );
      await other.closed;
      assert.match((await a.log.find(refused)).reason ?? "", /names neither dkv-2/);
    }
  });

  it("accepts a certificate that has the member's name instead of its host", async () => {
    const all = await addresses(3);
    const a = await started(all, 0, { tls: files });
    const named = await issue(["dkv-2"]);
    const right = dial(a.address, named);
    right.hello(all, 1, 0);
    assert.equal(decodeHelloReply(await right.frames.find(() => true)).refusal, "");
    const wrong = dial(a.address, named);
    wrong.hello(all, 2, 0);
    assert.match(decodeHelloReply(await wrong.frames.find(() => true)).refusal, /names neither dkv-3/);
  });

  it("takes only certificates with a name that is allowed, where some are named", async () => {
    const all = await addresses(2);
    const accepts = async (allowed: {
      readonly commonNames: readonly string[];
      readonly hosts: readonly string[];
    }) => {
      const a = await started(all, 0, { tls: { ...files, allowed } });
      const other = dial(a.address, here);
      other.hello(all, 1, 0);
      const { refusal } = decodeHelloReply(await other.frames.find(() => true));
      await a.transport.close();
      return refusal;
    };
    assert.equal(await accepts({ commonNames: ["localhost"], hosts: [] }), "");
    assert.match(
      await accepts({ commonNames: ["elsewhere"], hosts: [] }),
      /none of the names that are allowed$/,
    );
    assert.match(
      await accepts({ commonNames: [], hosts: ["elsewhere"] }),
      /none of the names that are allowed$/,
    );
  });

  it("takes no certificate that was revoked, where there is a list", async () => {
    const all = await addresses(2);
    const [good, bad] = [await issue(["localhost"]), await issue(["localhost"])];
    const crlFile = `${files.certFile}.crl`;
    writeFileSync(crlFile, revoke(authority, [bad.certificate]));
    const a = await started(all, 0, { tls: { ...files, crlFile } });
    const from = a.log.items.length;
    const turned = dial(a.address, bad);
    turned.hello(all, 1, 0);
    await turned.closed;
    assert.match((await a.log.find(refused, from)).reason ?? "", /CERT_REVOKED/);
    const taken = dial(a.address, good);
    taken.hello(all, 1, 0);
    assert.equal(decodeHelloReply(await taken.frames.find(() => true)).refusal, "");
  });

  it("that each make their own certificates talk in TLS all the same, if they are told to", async () => {
    const all = await addresses(2);
    const own = async () => {
      const alone = await createAuthority();
      return {
        ...tlsFiles(alone, await issue(["localhost"], alone)),
        trustedCaFile: undefined,
        isUnverified: true,
      };
    };
    const [a, b] = [await started(all, 0, { tls: await own() }), await started(all, 1, { tls: await own() })];
    await connected(a, b.address);
    await exchange(a, b, 5);
    const clear = dial(a.address);
    clear.hello(all, 1, 0);
    await clear.closed;
  });

  it("answers on all addresses that it listens on", async () => {
    const all = await addresses(3);
    const listenAddresses = [0, 2].map((at) => ({
      host: "localhost",
      port: portOf(all[at] ?? assert.fail()),
    }));
    const a = await started(all, 0, { tls: files, listenAddresses });
    for (const address of [a.address, all[2] ?? assert.fail()]) {
      const other = dial(address, here);
      other.hello(all, 1, 0);
      assert.equal(decodeHelloReply(await other.frames.find(() => true)).refusal, "");
    }
    await a.transport.close();
  });

  it("never resumes a session, so that each connection proves itself anew", async () => {
    const all = await addresses(2);
    const { address } = await started(all, 0, { tls: files });
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      let session: Buffer | undefined;
      for (let round = 0; round < 2; round += 1) {
        const own = { cert: here.certificate, key: here.key, ca: authority.certificate, maxVersion };
        const socket = tls.connect({
          host: "localhost",
          port: portOf(address),
          ...own,
          ...(session === undefined ? {} : { session }),
        });
        await once(socket, "secureConnect");
        assert.equal(socket.isSessionReused(), false, maxVersion);
        session = socket.getSession();
        socket.destroy();
      }
    }
    const old = tls.connect({
      host: "localhost",
      port: portOf(address),
      ca: authority.certificate,
      maxVersion: "TLSv1.1",
      minVersion: "TLSv1.1",
    });
    await assert.rejects(once(old, "secureConnect"));
  });
});

describe("a member that dials", () => {
  it("does not greet whoever answers with another CA's certificate, or another name's", async () => {
    for (const [credentials, reason] of [
      [stranger, /^its certificate is not signed by a .* that this member trusts \([A-Z_]+\)$/],
      [expired, /^its certificate has expired \(CERT_HAS_EXPIRED\)$/],
      [
        elsewhere,
        /^its certificate is not made out to localhost, but to DNS:elsewhere\.example \(ERR_[A-Z_]+\)$/,
      ],
      [nowhere, /no subject alternative name/],
    ] as const) {
      const all = await addresses(2);
      const heard: Buffer[] = [];
      await impostor(all[1] ?? assert.fail(), credentials, ({ socket }) => {
        socket.on("data", (chunk: Buffer) => heard.push(chunk));
        socket.write(encodeHelloReply(replyOf()));
      });
      const a = await started(all, 0, { tls: files });
      assert.match((await a.log.find(unreachable)).reason ?? "", reason);
      assert.deepEqual(heard, []);
      assert.equal(a.log.items.filter(({ msg }) => msg === "connected to peer").length, 0);
    }
  });
});

describe("two members of which one cannot talk to the other", () => {
  it("say that one speaks TLS and the other was not told to, on either side", async () => {
    for (const [tlsOf, dialled, reason] of [
      [files, undefined, /^it hung up during the TLS handshake; perhaps .*, or it does not speak TLS/],
      [
        undefined,
        files,
        /^it hung up before it said anything; perhaps it speaks TLS and this member was not/,
      ],
    ] as const) {
      const all = await addresses(2);
      const b = await started(all, 1, { tls: dialled });
      const a = await started(all, 0, { tls: tlsOf });
      assert.match((await a.log.find(unreachable)).reason ?? "", reason);
      const heard = dialled === undefined ? /^it speaks TLS and/ : /^it does not speak TLS and/;
      assert.match((await b.log.find(refused)).reason ?? "", heard);
    }
  });

  it("say that a certificate may not have been accepted, where the other just hangs up", async () => {
    const all = await addresses(2);
    const untrusted = { ...tlsFiles(authority, stranger), trustedCaFile: files.trustedCaFile };
    await started(all, 1, { tls: files });
    const a = await started(all, 0, { tls: untrusted });
    assert.match(
      (await a.log.find(unreachable)).reason ?? "",
      /perhaps it does not accept this member's cert/,
    );
  });
});

describe("certificates of a running member", () => {
  it("are taken from changed files, for new connections in both directions; broken files are not", async () => {
    const all = await addresses(3);
    const own = tlsFiles(authority, here);
    const [a, b] = [await started(all, 0, { tls: own }), await started(all, 1, { tls: files })];
    await connected(a, b.address);
    await connected(b, a.address);

    writeFileSync(own.certFile, "rubbish");
    assert.match(
      (await a.log.find(({ msg }) => msg.includes("the old ones stay"))).reason ?? "",
      /holds no certificate in PEM form/,
    );
    assert.equal(await serialOf(), new X509Certificate(here.certificate).serialNumber);

    const renewed = await issue(["localhost"]);
    for (const [file, content] of [
      [own.keyFile, renewed.key],
      [own.certFile, renewed.certificate],
    ] as const) {
      writeFileSync(`${file}.new`, content);
      renameSync(`${file}.new`, file);
    }
    await a.log.find(({ msg }) => msg.includes("new connections use them"));
    assert.equal(await serialOf(), new X509Certificate(renewed.certificate).serialNumber);
    const shown = new Record<string>();
    await impostor(all[2] ?? assert.fail(), here, ({ socket }) => {
      if (socket instanceof TLSSocket) shown.add(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    // The first may have been dialled just before.
    await shown.find((serial) => serial === new X509Certificate(renewed.certificate).serialNumber);
    await exchange(a, b, 1);
    await exchange(b, a, 2);
    assert.equal(a.log.items.filter(({ msg }) => msg === "lost connection to peer").length, 0);

    async function serialOf(): Promise<string> {
      const { socket } = dial(a.address, here);
      assert.ok(socket instanceof TLSSocket);
      await once(socket, "secureConnect");
      return socket.getPeerCertificate().serialNumber;
    }
  });

  it("are needed before it starts, and so is a CA", async () => {
    const all = await addresses(1);
    const start = (paths: typeof files) => startMember(member(all, 0, { tls: paths }));
    await assert.rejects(
      start({ ...files, certFile: "/nonexistent" }),
      (error) => error instanceof StartupError && error.message === "/nonexistent does not exist",
    );
    const noCa = member(all, 0, { tls: { ...files, trustedCaFile: undefined } });
    await assert.rejects(startMember(noCa), { kind: "usage" });
  });
});
