import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, describe, it } from "node:test";
import { createAuthority, issueCertificate } from "../src/certificate.ts";
import { makeCertificates, type MakeResult } from "../src/make.ts";

const root = mkdtempSync(join(tmpdir(), "dkv-certificates-"));
after(() => {
  rmSync(root, { recursive: true });
});

let directories = 0;
function newDirectory(): string {
  directories += 1;
  return join(root, String(directories));
}

function names({ made, kept }: MakeResult) {
  return { made: made.map((path) => basename(path)), kept: kept.map((path) => basename(path)) };
}

function altNames(directory: string, role: string): string | undefined {
  return new X509Certificate(readFileSync(join(directory, `${role}.pem`))).subjectAltName;
}

const all = ["ca.pem", "peer.pem", "server.pem", "client.pem"];
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000);

describe("makeCertificates", () => {
  it("makes certificates that openssl accepts, each for its purpose", async () => {
    const directory = newDirectory();
    assert.deepEqual(names(await makeCertificates({ directory, hosts: ["dkv-0.example"] })), {
      made: all,
      kept: [],
    });
    const verify = (purpose: string, role: string) =>
      spawnSync("openssl", [
        "verify",
        "-x509_strict",
        "-purpose",
        purpose,
        "-CAfile",
        join(directory, "ca.pem"),
        join(directory, `${role}.pem`),
      ]).status;
    for (const [purpose, role] of [
      ["sslserver", "peer"],
      ["sslclient", "peer"],
      ["sslserver", "server"],
      ["sslclient", "client"],
    ] as const) {
      assert.equal(verify(purpose, role), 0, `${role} as ${purpose}`);
    }
    assert.notEqual(verify("sslclient", "server"), 0);
    assert.notEqual(verify("sslserver", "client"), 0);
  });

  it("lets only the owner read the keys, and leaves no other file behind", async () => {
    const directory = newDirectory();
    await makeCertificates({ directory, hosts: [] });
    const files = readdirSync(directory).sort((a, b) => a.localeCompare(b));
    assert.deepEqual(files, [
      "ca-key.pem",
      "ca.pem",
      "client-key.pem",
      "client.pem",
      "peer-key.pem",
      "peer.pem",
      "server-key.pem",
      "server.pem",
    ]);
    for (const file of files.filter((name) => name.endsWith("-key.pem")))
      assert.equal(statSync(join(directory, file)).mode & 0o777, 0o600, file);
  });

  it("changes nothing when run again, also when the same address is written otherwise", async () => {
    const directory = newDirectory();
    await makeCertificates({ directory, hosts: ["2001:DB8::1", "Dkv-0.example"] });
    const before = readFileSync(join(directory, "peer.pem"));
    assert.deepEqual(names(await makeCertificates({ directory, hosts: [] })), { made: [], kept: all });
    assert.deepEqual(
      names(await makeCertificates({ directory, hosts: ["2001:db8:0::1", "dkv-0.EXAMPLE"] })),
      { made: [], kept: all },
    );
    assert.deepEqual(readFileSync(join(directory, "peer.pem")), before);
  });

  it("reissues what names hosts when one is new, by the same CA, and keeps the names it had", async () => {
    const directory = newDirectory();
    await makeCertificates({ directory, hosts: ["a.example"] });
    const result = names(await makeCertificates({ directory, hosts: ["b.example"] }));
    assert.deepEqual(result, { made: ["peer.pem", "server.pem"], kept: ["ca.pem", "client.pem"] });
    for (const role of ["peer", "server"]) {
      for (const name of ["DNS:localhost", "IP Address:127.0.0.1", "DNS:a.example", "DNS:b.example"]) {
        assert.ok(altNames(directory, role)?.includes(name), `${role} ${name}`);
      }
    }
  });

  it("reissues a certificate 30 days before it expires, and the CA with all of them", async () => {
    const directory = newDirectory();
    await makeCertificates({ directory, hosts: [] });
    assert.deepEqual(names(await makeCertificates({ directory, hosts: [], now: inDays(825 - 31) })).made, []);
    assert.deepEqual(
      names(await makeCertificates({ directory, hosts: [], now: inDays(825 - 29) })).made,
      all.slice(1),
    );
    assert.deepEqual(
      names(await makeCertificates({ directory, hosts: [], now: inDays(3650 - 29) })).made,
      all,
    );
  });

  it("reissues a certificate of another CA, with another key, or damaged", async () => {
    const directory = newDirectory();
    await makeCertificates({ directory, hosts: [] });
    const stranger = await issueCertificate(await createAuthority(), {
      commonName: "x",
      hosts: ["localhost", "127.0.0.1", "::1"],
      usages: ["serverAuth"],
    });
    writeFileSync(join(directory, "peer.pem"), stranger.certificate);
    writeFileSync(join(directory, "peer-key.pem"), stranger.key);
    writeFileSync(join(directory, "server-key.pem"), stranger.key);
    writeFileSync(join(directory, "client.pem"), "not a certificate");
    assert.deepEqual(names(await makeCertificates({ directory, hosts: [] })), {
      made: all.slice(1),
      kept: ["ca.pem"],
    });
  });

  it("never replaces a CA that has lost its key", async () => {
    const directory = newDirectory();
    await makeCertificates({ directory, hosts: [] });
    rmSync(join(directory, "ca-key.pem"));
    await assert.rejects(makeCertificates({ directory, hosts: [] }), {
      name: "CertificatesError",
      kind: "environment",
      message: /ca-key\.pem/,
    });
  });

  it("refuses what is no host", async () => {
    for (const host of ["a:2380", "[::1]", "a b", "", "-", "1.2.3", "a..b", "1.2.3.4.5", "ü"]) {
      await assert.rejects(
        makeCertificates({ directory: newDirectory(), hosts: [host] }),
        { kind: "usage" },
        host,
      );
    }
  });
});

describe("the command", () => {
  const main = join(import.meta.dirname, "../src/main.ts");
  const run = (args: readonly string[]) => spawnSync(process.execPath, [main, ...args], { encoding: "utf8" });

  it("says what it made and what it kept", () => {
    const directory = newDirectory();
    assert.match(
      execFileSync(process.execPath, [main, "--directory", directory, "--hosts", "a.example, b.example"], {
        encoding: "utf8",
      }),
      /made {2}\S+\/peer\.pem/,
    );
    assert.ok(altNames(directory, "server")?.includes("DNS:b.example"));
    assert.match(run(["--directory", directory]).stdout, /kept {2}\S+\/peer\.pem/);
  });

  it("answers a mistake with one line and exit code 2, trouble with exit code 1", () => {
    for (const args of [["--host", "a"], ["stray"], ["--hosts", "a:1", "--directory", newDirectory()]]) {
      const { status, stderr } = run(args);
      assert.equal(status, 2, stderr);
      assert.match(stderr, /^certificates: .+\n$/);
    }
    const { status, stderr } = run(["--directory", join(main, "sub")]);
    assert.equal(status, 1);
    assert.match(stderr, /^certificates: .+\n$/);
  });
});
