import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { createAuthority, issueCertificate, revoke } from "@dkv/certificates";
import { type Clock, systemClock } from "../../src/platform/clock.ts";
import { StartupError } from "../../src/platform/startup-error.ts";
import {
  readTlsMaterial,
  type TlsMaterial,
  type TlsPaths,
  watchTlsMaterial,
} from "../../src/platform/tls-files.ts";
import { recordingLogger } from "../transport/fixture.ts";

const directory = mkdtempSync(join(tmpdir(), "dkv-tls-files-"));
after(() => {
  rmSync(directory, { recursive: true });
});

const authority = await createAuthority();
const request = { commonName: "x", hosts: ["localhost"], usages: ["serverAuth"] } as const;
const [first, second] = [
  await issueCertificate(authority, request),
  await issueCertificate(authority, request),
];
const expired = await issueCertificate(authority, {
  ...request,
  from: new Date(Date.now() - 10 * 86_400_000),
  days: 5,
});

let count = 0;
function file(content: string): string {
  count += 1;
  const path = join(directory, `${String(count)}.pem`);
  writeFileSync(path, content);
  return path;
}

const good: TlsPaths = {
  certFile: file(first.certificate),
  keyFile: file(first.key),
  trustedCaFile: file(authority.certificate),
};

describe("certificate files", () => {
  it("are read, with a CA and without", () => {
    const material = readTlsMaterial(good);
    assert.deepEqual([material.cert, material.key, material.ca].map(String), [
      first.certificate,
      first.key,
      authority.certificate,
    ]);
    assert.equal(readTlsMaterial({ ...good, trustedCaFile: undefined }).ca, undefined);
    const bundle = file(authority.certificate + first.certificate);
    assert.ok(readTlsMaterial({ ...good, trustedCaFile: bundle }).ca);
  });

  it("may come with a list of what is revoked, as PEM or DER", () => {
    const list = revoke(authority, [second.certificate]);
    assert.equal(readTlsMaterial({ ...good, crlFile: file(list) }).crl, list);
    const der = join(directory, "list.der");
    writeFileSync(der, Buffer.from(list.replaceAll(/-----.*-----/g, ""), "base64"));
    assert.match(readTlsMaterial({ ...good, crlFile: der }).crl ?? "", /^-----BEGIN X509 CRL-----/);
    for (const broken of ["rubbish", first.certificate]) {
      const crlFile = file(broken);
      assert.throws(() => readTlsMaterial({ ...good, crlFile }, "--"), {
        message: `--client-crl-file ${crlFile} holds no list of revoked certificates`,
      });
    }
  });

  it("come with what else is asked of TLS", () => {
    const { ciphers, minVersion, maxVersion, rejectUnauthorized } = readTlsMaterial({
      ...good,
      isUnverified: true,
      protocol: { ciphers: "AES128-SHA", minVersion: "TLSv1.2", maxVersion: "TLSv1.2" },
    });
    assert.deepEqual(
      [ciphers, minVersion, maxVersion, rejectUnauthorized],
      ["AES128-SHA", "TLSv1.2", "TLSv1.2", false],
    );
    assert.equal(readTlsMaterial(good).minVersion, "TLSv1.2");
    assert.ok(!("rejectUnauthorized" in readTlsMaterial(good)));
  });

  it("that are no good are refused in a line that names the file and the trouble", () => {
    const rubbish = file("rubbish");
    const half = file(
      `${authority.certificate}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
    );
    const missing = join(directory, "missing.pem");
    const cases: readonly (readonly [Partial<TlsPaths>, string])[] = [
      [{ certFile: missing }, `${missing} does not exist`],
      [{ keyFile: directory }, `${directory} is a directory`],
      [{ certFile: rubbish }, `${rubbish} holds no certificate in PEM form`],
      [{ certFile: good.keyFile }, `${good.keyFile} holds no certificate in PEM form`],
      [{ keyFile: rubbish }, `${rubbish} holds no private key in PEM form without a passphrase`],
      [{ keyFile: good.certFile }, `${good.certFile} holds no private key in PEM form without a passphrase`],
      [{ trustedCaFile: rubbish }, `${rubbish} holds no certificate in PEM form`],
      [{ trustedCaFile: half }, `${half} holds no certificate in PEM form`],
    ];
    for (const [paths, message] of cases) {
      assert.throws(
        () => readTlsMaterial({ ...good, ...paths }),
        (error) => {
          assert.ok(error instanceof StartupError && error.kind === "environment");
          assert.equal(error.message, message);
          return true;
        },
      );
    }
    const named = [
      ["certFile", "--peer-cert-file"],
      ["keyFile", "--peer-key-file"],
      ["trustedCaFile", "--peer-trusted-ca-file"],
    ] as const;
    for (const [key, flag] of named)
      assert.throws(() => readTlsMaterial({ ...good, [key]: missing }, "--peer-"), {
        message: `${flag} ${missing} does not exist`,
      });
    const foreign = file(second.key);
    assert.throws(() => readTlsMaterial({ ...good, keyFile: foreign }), {
      message: `the key in ${foreign} does not belong to the certificate in ${good.certFile}`,
    });
  });
});

describe("watched certificate files", () => {
  function watch(paths: TlsPaths) {
    let poll = () => assert.fail("nobody looks at the files");
    const clock: Clock = {
      ...systemClock,
      every(_periodMs, callback) {
        poll = callback as () => never;
        return () => {
          poll = () => assert.fail("somebody still looks at the files");
        };
      },
    };
    const { logger, log } = recordingLogger();
    const changes: TlsMaterial[] = [];
    const cancel = watchTlsMaterial(paths, { clock, logger }, (material) => changes.push(material));
    return { changes, log, cancel, poll: () => poll() };
  }

  it("are handed over when they change, once, and only when all of them are sound", () => {
    const paths = { ...good, certFile: file(first.certificate), keyFile: file(first.key) };
    const { changes, log, poll } = watch(paths);
    poll();
    assert.equal(changes.length, 0);
    writeFileSync(paths.keyFile, second.key);
    poll();
    poll();
    assert.equal(changes.length, 0);
    assert.deepEqual(
      log.items.map(({ msg }) => msg),
      ["certificates changed and cannot be used; the old ones stay"],
    );
    writeFileSync(paths.certFile, second.certificate);
    poll();
    poll();
    assert.deepEqual(
      changes.map(({ cert }) => String(cert)),
      [second.certificate],
    );
    rmSync(paths.certFile);
    poll();
    assert.match(log.items.at(-1)?.reason ?? "", /does not exist/);
  });

  it("are a reason to warn when the certificate has expired, and to use it all the same", () => {
    const paths = { ...good, certFile: file(expired.certificate), keyFile: file(expired.key) };
    assert.ok(readTlsMaterial(paths));
    assert.match(watch(paths).log.items[0]?.msg ?? "", /has expired/);
    assert.deepEqual(watch(good).log.items, []);
  });
});
