import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import type { TlsOptions as ServerTls } from "node:tls";
import { promisify } from "node:util";

import { createAuthority, type Credentials, issueCertificate } from "@dkv/certificates";

import { DkvClient } from "../src/client.ts";
import { DkvClientError } from "../src/errors.ts";
import type { TlsOptions } from "../src/tls.ts";
import { ScriptedMember } from "./scripted-member.ts";

interface Papers {
  readonly authority: Credentials;
  readonly stranger: Credentials;
  readonly server: Credentials;
  readonly client: Credentials;
  readonly strangersClient: Credentials;
  readonly elsewhere: Credentials;
  readonly expired: Credentials;
}

let papers: Papers;
let directory: string;

before(async () => {
  const [authority, stranger] = await Promise.all([createAuthority(), createAuthority()]);
  const forServer = {
    commonName: "server",
    hosts: ["localhost", "127.0.0.1"],
    usages: ["serverAuth"],
  } as const;
  const forClient = { commonName: "client", hosts: [], usages: ["clientAuth"] } as const;
  const [server, client, strangersClient, elsewhere, expired] = await Promise.all([
    issueCertificate(authority, forServer),
    issueCertificate(authority, forClient),
    issueCertificate(stranger, forClient),
    issueCertificate(authority, { ...forServer, hosts: ["elsewhere.example"] }),
    issueCertificate(authority, { ...forServer, from: new Date("2020-01-01"), days: 1 }),
  ]);
  papers = { authority, stranger, server, client, strangersClient, elsewhere, expired };
  directory = await mkdtemp(join(tmpdir(), "dkv-client-"));
});

after(async () => {
  await rm(directory, { recursive: true });
});

async function member(t: TestContext, tls?: ServerTls): Promise<ScriptedMember> {
  const started = await ScriptedMember.start(tls === undefined ? {} : { tls });
  t.after(() => started.stop());
  return started;
}

const serve = (credentials: Credentials): ServerTls => ({
  cert: credentials.certificate,
  key: credentials.key,
});
const mutual = (): ServerTls => ({
  ...serve(papers.server),
  ca: papers.authority.certificate,
  requestCert: true,
  rejectUnauthorized: true,
});
const present = (credentials: Credentials): TlsOptions => ({
  ca: papers.authority.certificate,
  cert: credentials.certificate,
  key: credentials.key,
});

/** What a set through these endpoints says; "ok" if it succeeds. */
async function outcome(t: TestContext, endpoint: string, tls?: TlsOptions): Promise<string> {
  const dkv = new DkvClient({ endpoints: [endpoint], tls });
  t.after(() => {
    dkv.close();
  });
  try {
    await dkv.set("k", "v");
    return "ok";
  } catch (error) {
    assert.ok(error instanceof DkvClientError, String(error));
    assert.equal(error.retry, error.code === "bad_configuration" ? "never" : "notApplied");
    return error.code;
  }
}

test("speaks TLS with a member whose authority it knows", async (t) => {
  const { endpoint } = await member(t, serve(papers.server));
  assert.equal(await outcome(t, endpoint, { ca: papers.authority.certificate }), "ok");
});

test("shows its certificate to a member that asks for one", async (t) => {
  const { endpoint } = await member(t, mutual());
  assert.equal(await outcome(t, endpoint, present(papers.client)), "ok");
});

for (const maxVersion of ["TLSv1.3", "TLSv1.2"] as const) {
  test(`says that a client certificate is missing, or not accepted, with ${maxVersion}`, async (t) => {
    const { endpoint } = await member(t, { ...mutual(), maxVersion });
    assert.equal(
      await outcome(t, endpoint, { ca: papers.authority.certificate }),
      "client_certificate_required",
    );
    assert.equal(await outcome(t, endpoint, present(papers.strangersClient)), "tls_failure");
  });
}

test("tells apart an unknown authority, another's name and a certificate that has run out", async (t) => {
  const { endpoint } = await member(t, serve(papers.server));
  assert.equal(await outcome(t, endpoint, { ca: papers.stranger.certificate }), "unknown_ca");
  assert.equal(await outcome(t, `https://${endpoint}`), "unknown_ca");
  const elsewhere = await member(t, serve(papers.elsewhere));
  assert.equal(await outcome(t, elsewhere.endpoint, { ca: papers.authority.certificate }), "wrong_name");
  const expired = await member(t, serve(papers.expired));
  assert.equal(
    await outcome(t, expired.endpoint, { ca: papers.authority.certificate }),
    "certificate_not_valid",
  );
});

test("says so when only one side speaks TLS", async (t) => {
  const secure = await member(t, serve(papers.server));
  assert.equal(await outcome(t, secure.endpoint), "server_speaks_tls");
  const mutualOnly = await member(t, mutual());
  assert.equal(await outcome(t, mutualOnly.endpoint), "server_speaks_tls");
  const clear = await member(t);
  assert.equal(
    await outcome(t, clear.endpoint, { ca: papers.authority.certificate }),
    "server_speaks_cleartext",
  );
});

test("says so when something else than gRPC answers", async (t) => {
  const web = createServer((_request, response) => {
    response.end("hello");
  });
  web.listen(0, "127.0.0.1");
  await once(web, "listening");
  t.after(() => web.close());
  const address = web.address();
  assert.ok(typeof address === "object" && address !== null);
  assert.equal(await outcome(t, `127.0.0.1:${address.port}`), "not_dkv");
});

test("reads its files at each connection, so that a renewed certificate counts", async (t) => {
  const only = await member(t, mutual());
  const [caFile, certFile, keyFile] = ["ca.pem", "client.pem", "client-key.pem"].map((name) =>
    join(directory, name),
  );
  assert.ok(caFile !== undefined && certFile !== undefined && keyFile !== undefined);
  const put = async ({ certificate, key }: Credentials): Promise<unknown> =>
    Promise.all([writeFile(certFile, certificate), writeFile(keyFile, key)]);
  await writeFile(caFile, papers.authority.certificate);
  await put(papers.strangersClient);
  using dkv = new DkvClient({ endpoints: [only.endpoint], tls: { caFile, certFile, keyFile } });
  await assert.rejects(dkv.set("k", "v"), {
    code: "tls_failure",
    message: /perhaps it does not accept the given client certificate$/,
  });
  await put(papers.client);
  await dkv.set("k", "v");
});

test("reads a pair again that does not match: it may be in the midst of being replaced", async (t) => {
  const { endpoint } = await member(t, mutual());
  const [certFile, keyFile, newKeyFile] = ["renewed.pem", "renewed-key.pem", "new-key.pem"].map((name) =>
    join(directory, name),
  );
  assert.ok(certFile !== undefined && keyFile !== undefined && newKeyFile !== undefined);
  await writeFile(certFile, papers.client.certificate);
  await writeFile(newKeyFile, papers.client.key);
  // The key is a pipe at first, so that the old one is known to have been read before the new one is there.
  await promisify(execFile)("mkfifo", [keyFile]);
  const result = outcome(t, endpoint, { ca: papers.authority.certificate, certFile, keyFile });
  await writeFile(keyFile, papers.server.key);
  await rename(newKeyFile, keyFile);
  assert.equal(await result, "ok");
});

test("names a TLS file that cannot be used", async (t) => {
  const { endpoint } = await member(t, serve(papers.server));
  const rubbish = join(directory, "rubbish.pem");
  await writeFile(rubbish, "rubbish");
  const set = async (tls: TlsOptions): Promise<unknown> => {
    using dkv = new DkvClient({ endpoints: [endpoint], tls });
    return await dkv.set("k", "v");
  };
  await assert.rejects(set({ caFile: join(directory, "missing.pem") }), {
    code: "bad_configuration",
    message: /CA certificate .*missing\.pem: no such file/,
  });
  await assert.rejects(set({ caFile: directory }), {
    code: "bad_configuration",
    message: /it is a directory/,
  });
  await assert.rejects(set({ caFile: rubbish }), {
    code: "bad_configuration",
    message: /rubbish\.pem is not a PEM file/,
  });
  const mixed = { cert: papers.client.certificate, key: papers.server.key };
  await assert.rejects(set(mixed), {
    code: "bad_configuration",
    message: /the key does not belong to the certificate/,
  });
});

test("half-given credentials are refused at once", () => {
  const endpoints = ["localhost:3000"];
  assert.throws(
    () => new DkvClient({ endpoints, tls: { cert: papers.client.certificate } }),
    /without its key/,
  );
  assert.throws(() => new DkvClient({ endpoints, tls: { keyFile: "key.pem" } }), /without its certificate/);
  assert.throws(() => new DkvClient({ endpoints: ["http://localhost:3000"], tls: { ca: "" } }), /http:\/\//);
});
