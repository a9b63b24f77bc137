/** Where a member listens and what it says of that, and how connections are secured. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readConfig } from "../../src/config/config.ts";
import { listenings } from "../../src/config/listening.ts";
import { gatherValues } from "../../src/config/values.ts";
import { formatAddress } from "../../src/platform/address.ts";
import { StartupError } from "../../src/platform/startup-error.ts";

const enough = ["--name=a", "--initial-cluster=a=localhost:2380", "--listen-peer-address=localhost:2380"];
const client = ["--cert-file=c", "--key-file=k"];
const peer = ["--peer-cert-file=c", "--peer-key-file=k"];

async function configure(...argv: readonly string[]) {
  const commandLine = await gatherValues([...enough, ...argv], {}, "1.2.3");
  assert.ok(commandLine.kind === "run");
  return readConfig(commandLine.values);
}

const refuses = (pattern: RegExp, ...argv: readonly string[]) =>
  assert.rejects(configure(...argv), (error) => {
    assert.ok(error instanceof StartupError, String(error));
    assert.match(error.message, pattern);
    return error.kind === "usage";
  });

describe("the addresses of a member", () => {
  it("may be several of each kind, each for itself in clear or with TLS", async () => {
    const config = await configure(
      ...client,
      "--listen-client-address=localhost:1,http://localhost:2",
      "--listen-client-address=https://[::1]:3",
      "--listen-metrics-address=http://:4",
    );
    assert.deepEqual(
      listenings(config).map(({ callers, address }) => [callers, formatAddress(address)]),
      [
        ["peers", "localhost:2380"],
        ["clients", "localhost:1"],
        ["clients", "localhost:2"],
        ["clients", "[::1]:3"],
        ["probes", ":4"],
      ],
    );
    assert.deepEqual(
      [...config.clientPorts, ...config.metricsPorts].map(({ tls }) => tls !== undefined),
      [true, false, true, false],
    );
    assert.equal(config.advertiseClientAddress, "localhost:1");
  });

  it("are refused where they are none, or one twice, or need what is not given", async () => {
    await refuses(
      /--listen-client-address is "ftp:\/\/a:1"; write HOST:PORT/,
      "--listen-client-address=ftp://a:1",
    );
    await refuses(/has https:\/\/a:1, which needs --cert-file/, "--listen-client-address=https://a:1");
    await refuses(/has https:\/\/a:1, which needs --cert-file/, "--listen-metrics-address=https://a:1");
    await refuses(/one address twice|are both/, "--listen-client-address=a:1,a:1");
    await refuses(/are both a:1/, "--listen-client-address=a:1", "--listen-metrics-address=a:1");
    await refuses(/names no address/, "--listen-client-address=,");
  });

  it("are told clients as URLs, if those are given", async () => {
    const { advertiseClientUrls } = await configure(
      "--advertise-client-urls=https://a.example:443,http://b:1",
    );
    assert.deepEqual(advertiseClientUrls, ["https://a.example:443", "http://b:1"]);
    for (const text of ["a:1", "http://a:1/path", "ftp://a:1"])
      await refuses(/write URLs such as/, `--advertise-client-urls=${text}`);
    const many = Array.from({ length: 17 }, (_, at) => `http://a:${String(at + 1)}`).join(",");
    await refuses(/at most 16/, `--advertise-client-urls=${many}`);
  });
});

describe("how connections are secured", () => {
  it("is read from flags of clients and of peers alike", async () => {
    const { clientTls, peerTls } = await configure(
      ...client,
      "--trusted-ca-file=ca",
      "--client-crl-file=crl",
      "--client-cert-allowed-hostname=a,b",
      ...peer,
      "--peer-trusted-ca-file=pca",
      "--peer-crl-file=pcrl",
      "--peer-cert-allowed-cn=x",
      "--cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
      "--tls-min-version=TLS1.2",
      "--tls-max-version=TLS1.3",
    );
    const protocol = {
      ciphers:
        "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE-RSA-AES128-GCM-SHA256",
      minVersion: "TLSv1.2",
      maxVersion: "TLSv1.3",
    };
    assert.deepEqual(clientTls, {
      certFile: "c",
      keyFile: "k",
      trustedCaFile: "ca",
      crlFile: "crl",
      allowed: { commonNames: [], hosts: ["a", "b"] },
      protocol,
    });
    assert.deepEqual(peerTls, {
      certFile: "c",
      keyFile: "k",
      trustedCaFile: "pca",
      crlFile: "pcrl",
      allowed: { commonNames: ["x"], hosts: [] },
      protocol,
      isUnverified: false,
    });
  });

  it("is no weaker than somebody believes", async () => {
    await refuses(/without --trusted-ca-file/, ...client, "--client-crl-file=x");
    await refuses(/without --trusted-ca-file/, ...client, "--client-cert-allowed-hostname=x");
    await refuses(/without --peer-trusted-ca-file/, "--peer-cert-allowed-cn=x");
    await refuses(/without --peer-trusted-ca-file/, ...peer, "--insecure-peers", "--peer-crl-file=x");
    await refuses(/given without --peer-trusted-ca-file/, ...peer);
    await refuses(/"TLS_NULL", which is none/, ...client, "--cipher-suites=TLS_NULL");
    await refuses(
      /above --tls-max-version/,
      ...client,
      "--tls-min-version=TLS1.3",
      "--tls-max-version=TLS1.2",
    );
    await refuses(/write one of TLS1.2, TLS1.3/, ...client, "--tls-min-version=TLS1.0");
  });

  it("is looked at without certificates too", async () => {
    await refuses(/"BOGUS", which is none that OpenSSL offers/, "--cipher-suites=BOGUS");
    await refuses(/above --tls-max-version/, "--tls-min-version=TLS1.3", "--tls-max-version=TLS1.2");
    await refuses(/write one of TLS1.2, TLS1.3/, "--tls-min-version=TLS1.0");
    const { clientTls, peerTls } = await configure("--cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
    assert.deepEqual([clientTls, peerTls], [undefined, undefined]);
  });

  it("may be by certificates of nobody, between members, where somebody says that it is not secure", async () => {
    const { peerTls } = await configure(...peer, "--insecure-peers");
    assert.equal(peerTls?.isUnverified, true);
    const { peerTls: checked } = await configure(...peer, "--insecure-peers", "--peer-trusted-ca-file=ca");
    assert.equal(checked?.isUnverified, false);
  });
});
