import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http2, { type ClientHttp2Session } from "node:http2";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { createAuthority, type Credentials, issueCertificate } from "@dkv/certificates";
import { type Clock, systemClock } from "../../src/platform/clock.ts";
import { trustGraceMs } from "../../src/platform/trust.ts";
import { openClientPort } from "../api/client-port.ts";

const directory = mkdtempSync(join(tmpdir(), "dkv-trust-"));
after(() => {
  rmSync(directory, { recursive: true });
});

const [old, fresh] = [await createAuthority(), await createAuthority()];
const issue = (authority: Credentials, usage: "clientAuth" | "serverAuth"): Promise<Credentials> =>
  issueCertificate(authority, { commonName: "x", hosts: ["127.0.0.1"], usages: [usage] });
const server = await issue(old, "serverAuth");
const clients = { old: await issue(old, "clientAuth"), fresh: await issue(fresh, "clientAuth") };

function file(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

/** The real clock, but for the look at the files and the grace of the untrusted, which come when told to. */
function patientClock() {
  let look = (): void => assert.fail("nobody looks at the files");
  let lose = (): void => assert.fail("nobody has been given grace");
  const clock: Clock = {
    ...systemClock,
    every(periodMs, callback) {
      if (periodMs !== 2000) return systemClock.every(periodMs, callback);
      look = callback;
      return () => undefined;
    },
    after(delayMs, callback) {
      if (delayMs !== trustGraceMs) return systemClock.after(delayMs, callback);
      lose = callback;
      return () => undefined;
    },
  };
  return { clock, look: () => look(), lose: () => lose() };
}

const statusOf = async (session: ClientHttp2Session): Promise<unknown> => {
  const [headers] = await once(session.request({ ":path": "/livez" }), "response");
  return headers[":status"];
};

describe("clients that were let in by a CA", () => {
  it("are asked to come again, and in the end cut off, once it is trusted no more; the others stay", async (t) => {
    const tls = {
      certFile: file("cert.pem", server.certificate),
      keyFile: file("key.pem", server.key),
      trustedCaFile: file("ca.pem", old.certificate + fresh.certificate),
    };
    const { clock, look, lose } = patientClock();
    const { url, port } = await openClientPort(t, { tls, clock });
    const ca = old.certificate;
    const sessionOf = ({ certificate: cert, key }: Credentials): ClientHttp2Session => {
      const session = http2.connect(url, { ca, cert, key });
      t.after(() => {
        session.destroy();
      });
      return session.on("error", () => undefined);
    };
    const [leaving, staying] = [sessionOf(clients.old), sessionOf(clients.fresh)];
    const own = { ca, cert: clients.old.certificate, key: clients.old.key };
    const [talking, silent] = [1, 2].map(
      () => new https.Agent({ keepAlive: true, maxSockets: 1, ALPNProtocols: ["http/1.1"], ...own }),
    );
    assert.ok(talking !== undefined && silent !== undefined);
    t.after(() => {
      talking.destroy();
      silent.destroy();
    });
    const askOn = async (agent: https.Agent) => {
      const request = https.get({ port, host: "127.0.0.1", path: "/livez", agent });
      const [response] = await once(request, "response");
      response.resume();
      await once(response, "end");
      return { connection: response.headers.connection, socket: request.socket };
    };
    assert.deepEqual([await statusOf(leaving), await statusOf(staying)], [200, 200]);
    assert.equal((await askOn(talking)).connection, "keep-alive");
    const { socket } = await askOn(silent);
    assert.ok(socket !== null);
    const [isCutOff, hasLeft] = [once(socket, "close"), once(leaving, "close")];

    writeFileSync(tls.trustedCaFile, fresh.certificate);
    look();
    await hasLeft;
    assert.equal((await askOn(talking)).connection, "close");
    assert.equal(await statusOf(staying), 200);
    assert.equal(socket.destroyed, false);
    lose();
    await isCutOff;
    assert.equal(await statusOf(staying), 200);
  });
});
