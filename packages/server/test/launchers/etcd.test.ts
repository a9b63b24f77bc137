/** What becomes of etcd's flags, environment and config file, without starting anything. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { etcdFlagNames } from "../../src/launchers/etcd/flags.ts";
import { formatAddress } from "../../src/platform/address.ts";
import { configure, type Environment, launch, refuses } from "./etcd-launch.ts";

const home = process.cwd();
const scratch = mkdtempSync(join(tmpdir(), "dkv-etcd-"));
before(() => {
  process.chdir(scratch);
});
after(() => {
  process.chdir(home);
  rmSync(scratch, { recursive: true, force: true });
});

/** A unit's, for the first of three. */
const three: Environment = {
  ETCD_NAME: "infra0",
  ETCD_DATA_DIR: "/nowhere/infra0",
  ETCD_INITIAL_ADVERTISE_PEER_URLS: "http://10.0.1.10:2380",
  ETCD_LISTEN_PEER_URLS: "http://10.0.1.10:2380",
  ETCD_LISTEN_CLIENT_URLS: "http://10.0.1.10:2379,http://127.0.0.1:2379",
  ETCD_ADVERTISE_CLIENT_URLS: "http://10.0.1.10:2379",
  ETCD_INITIAL_CLUSTER:
    "infra0=http://10.0.1.10:2380,infra1=http://10.0.1.11:2380,infra2=http://10.0.1.12:2380",
  ETCD_INITIAL_CLUSTER_STATE: "new",
  ETCD_INITIAL_CLUSTER_TOKEN: "etcd-cluster-1",
};

describe("a member that is started as etcd is", () => {
  it("has etcd's defaults", async () => {
    const { config, said } = await configure([]);
    assert.deepEqual(said, []);
    assert.equal(config.name, "default");
    assert.equal(config.dataDir, "default.etcd");
    assert.deepEqual(config.initialCluster, [{ name: "default", address: "localhost:2380" }]);
    assert.deepEqual(config.listenPeerAddresses.map(formatAddress), ["localhost:2380"]);
    assert.deepEqual(
      config.clientPorts.map(({ address }) => formatAddress(address)),
      ["localhost:2379"],
    );
    assert.deepEqual(config.advertiseClientUrls, ["http://localhost:2379"]);
    assert.equal(config.initialClusterToken, "etcd-cluster");
    assert.equal(config.quotaBytes, 2 ** 31);
    assert.equal(config.maxTxnOps, 128);
    assert.equal(config.maxRequestBytes, 1_572_864);
    assert.deepEqual([config.heartbeatIntervalMs, config.electionTimeoutMs], [100, 1000]);
    assert.equal(config.autoCompaction, undefined);
    assert.equal(config.corruptCheckIntervalMs, undefined);
    assert.equal(config.insecurePeers, false);
    assert.deepEqual([config.logLevel, config.logFormat, config.logOutputs], ["info", "zap", ["stderr"]]);
  });

  it("goes by the environment of a unit", async () => {
    const { config, said } = await configure([], three);
    assert.equal(config.name, "infra0");
    assert.deepEqual(
      config.initialCluster.map(({ name, address }) => `${name} ${address}`),
      ["infra0 10.0.1.10:2380", "infra1 10.0.1.11:2380", "infra2 10.0.1.12:2380"],
    );
    assert.deepEqual(
      config.clientPorts.map(({ address, tls }) => [formatAddress(address), tls]),
      [
        ["10.0.1.10:2379", undefined],
        ["127.0.0.1:2379", undefined],
      ],
    );
    assert.equal(config.advertiseClientAddress, "10.0.1.10:2379");
    assert.equal(config.insecurePeers, true);
    assert.equal(said.length, 1);
    assert.match(said[0] ?? "", /talk in clear on http:\/\/10\.0\.1\.10:2380/);
  });

  it("takes flags before the environment, with one dash or two, and switches as Go does", async () => {
    const words = [
      "-name",
      "other",
      "--initial-cluster=other=http://localhost:2380",
      "--debug",
      "-pre-vote=T",
    ];
    const { config } = await configure(words, { ETCD_NAME: "env", ETCD_LOG_LEVEL: "warn", ETCD_DEBUG: "0" });
    assert.equal(config.name, "other");
    assert.equal(config.logLevel, "debug");
    await refuses(/\$ETCD_DEBUG is "maybe": write true or false/, [], { ETCD_DEBUG: "maybe" });
  });

  it("understands numbers, durations and limits as etcd does", async () => {
    const { config } = await configure([
      "--quota-backend-bytes=-1",
      "--auto-compaction-retention=1h30m",
      "--snapshot-count=0",
      "--experimental-corrupt-check-time=90s",
      "--experimental-watch-progress-notify-interval=500ms",
      "--max-txn-ops=10000",
      "--heartbeat-interval=200",
      "--election-timeout=2000",
      "--log-level=panic",
      "--log-outputs=default,stdout,stderr",
      "--auth-token-ttl=100",
      "--bcrypt-cost=4",
    ]);
    assert.equal(config.quotaBytes, 0);
    assert.deepEqual(config.autoCompaction, { mode: "periodic", retentionMs: 5_400_000 });
    assert.equal(config.snapshotCount, 10_000);
    assert.equal(config.corruptCheckIntervalMs, 90_000);
    assert.equal(config.watchProgressIntervalMs, 500);
    assert.equal(config.maxTxnOps, 10_000);
    assert.deepEqual(config.auth, { bcryptCost: 4, token: { kind: "simple", ttlMs: 100_000 } });
    assert.deepEqual([config.heartbeatIntervalMs, config.electionTimeoutMs], [200, 2000]);
    assert.deepEqual([config.logLevel, config.logOutputs], ["error", ["stderr", "stdout"]]);
    const hours = await configure(["--auto-compaction-retention=2"]);
    assert.deepEqual(hours.config.autoCompaction, { mode: "periodic", retentionMs: 7_200_000 });
    const revisions = await configure([
      "--auto-compaction-mode=revision",
      "--auto-compaction-retention=1000",
    ]);
    assert.deepEqual(revisions.config.autoCompaction, { mode: "revision", revisions: 1000 });
    const twice = ["--corrupt-check-time=60s", "--experimental-corrupt-check-time=30s"];
    assert.equal((await configure(twice)).config.corruptCheckIntervalMs, 60_000, "the name of today counts");
    assert.equal((await configure(["--log-format=console"])).config.logFormat, "text");
    const given = await configure(["--quota-backend-bytes=8589934592"]);
    assert.equal(given.config.quotaBytes, 8 * 2 ** 30);
  });

  it("dials a member that names several URLs at the first, in whatever order they come", async () => {
    const urls = ["http://10.0.0.9:1", "http://10.0.0.1:1"];
    for (const [one, other] of [urls, urls.toReversed()]) {
      const cluster = [one, other].map((url) => `a=${url ?? ""}`).join(",");
      const { config } = await configure(["--name=a", `--initial-cluster=${cluster}`]);
      assert.deepEqual(config.initialCluster, [{ name: "a", address: "10.0.0.1:1" }]);
    }
  });

  it("tells clients where it listens if it is told nothing else, but for no host at all", async () => {
    const urls = "http://0.0.0.0:1,http://10.0.0.1:1";
    const { config, said } = await configure([`--listen-client-urls=${urls}`]);
    assert.deepEqual(config.advertiseClientUrls, ["http://10.0.0.1:1"]);
    assert.match(said[0] ?? "", /^clients are told http:\/\/10\.0\.0\.1:1 of this member/);
    const nowhere = await configure(["--listen-client-urls=http://0.0.0.0:1"]);
    assert.deepEqual(nowhere.config.advertiseClientUrls, []);
    assert.match(nowhere.said[0] ?? "", /^clients are told no URL of this member/);
  });

  it("serves each URL by its scheme", async () => {
    const { config, said } = await configure([
      "--listen-client-urls=https://127.0.0.1:1,http://127.0.0.1:2",
      "--advertise-client-urls=https://127.0.0.1:1",
      "--listen-metrics-urls=http://127.0.0.1:3",
      "--cert-file=c.pem",
      "--key-file=k.pem",
      "--trusted-ca-file=ca.pem",
      "--client-cert-auth",
      "--client-crl-file=crl.pem",
      "--cipher-suites=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    ]);
    assert.deepEqual(said, []);
    assert.deepEqual(
      [...config.clientPorts, ...config.metricsPorts].map(({ tls }) => tls?.crlFile),
      [undefined, "crl.pem", undefined],
      "in the order of their texts",
    );
    assert.match(config.clientPorts[1]?.tls?.protocol?.ciphers ?? "", /ECDHE-RSA-AES256-GCM-SHA384/);
  });

  it("serves probes with the certificates of clients, though these are served in clear", async () => {
    const metrics = "--listen-metrics-urls=https://127.0.0.1:3";
    const { config, said } = await configure([metrics, "--cert-file=c.pem", "--key-file=k.pem"]);
    assert.deepEqual(said, []);
    assert.deepEqual(
      [config.clientPorts[0].tls, config.metricsPorts[0]?.tls?.certFile],
      [undefined, "c.pem"],
    );
    await refuses(/^a URL for clients or probes is https:\/\/, which needs --cert-file and/, [metrics]);
  });

  it("has certificates of its own made if it is told to, for its hosts, once", async () => {
    const words = [
      "--name=auto",
      "--auto-tls",
      "--peer-auto-tls",
      "--listen-client-urls=https://127.0.0.1:1",
      "--advertise-client-urls=https://etcd.example:1",
      "--listen-peer-urls=https://127.0.0.1:2",
      "--initial-advertise-peer-urls=https://127.0.0.1:2",
    ];
    const { config, said } = await configure(words);
    assert.equal(config.clientPorts[0].tls?.certFile, "auto.etcd/fixtures/server.pem");
    assert.equal(config.peerTls?.isUnverified, true);
    assert.match(said.join(), /prove nothing/);
    const { X509Certificate } = await import("node:crypto");
    const made = readFileSync("auto.etcd/fixtures/server.pem");
    assert.ok(new X509Certificate(made).checkHost("etcd.example"));
    await configure(words);
    assert.deepEqual(readFileSync("auto.etcd/fixtures/server.pem"), made);
  });

  it("says of what makes no difference that it does not, in a line each", async () => {
    const { said } = await configure(["--max-wals=7", "--enable-pprof", "--pre-vote=false"], {
      ETCD_MAX_SNAPSHOTS: "5",
      ETCD_NOTHING: "x",
      ETCD_UNSUPPORTED_ARCH: "arm64",
    });
    assert.deepEqual(
      said.map((line) => line.slice(0, 40)),
      [
        "nothing is called $ETCD_NOTHING, which t",
        "--max-wals makes no difference: there ar",
        "--enable-pprof makes no difference: ther",
        "--pre-vote makes no difference: there is",
      ],
    );
  });

  it("does not start where somebody relies on what is not done", async () => {
    await refuses(/^--enable-v2 is "true": only version 3/, ["--enable-v2"]);
    await refuses(/^\$ETCD_WAL_DIR is "\/fast": the log is always below --data-dir/, [], {
      ETCD_WAL_DIR: "/fast",
    });
    await refuses(/^--discovery is .*--initial-cluster/, ["--discovery=https://discovery.example/x"]);
    await refuses(/^--proxy is "on"/, ["--proxy=on"]);
    await refuses(/^--cors is "https:\/\/a"/, ["--cors=https://a"]);
    await refuses(/^there is no gateway here/, ["gateway", "start"]);
    await refuses(/there is no flag -nosuch; see --help/, ["--nosuch"]);
    await refuses(/members listen on TCP only/, ["--listen-peer-urls=unix://a:1"]);
    await refuses(/write URLs with a host and a port/, ["--listen-peer-urls=localhost:1"]);
    await refuses(/is https:\/\/, which needs --peer-cert-file/, ["--listen-peer-urls=https://localhost:1"]);
    await refuses(/some https:\/\//, ["--listen-peer-urls=https://localhost:1,http://localhost:2"]);
    const https = ["--listen-client-urls=https://a:1", "--advertise-client-urls=https://a:1"];
    await refuses(/needs --cert-file and --key-file, or --auto-tls/, https);
    await refuses(/without --trusted-ca-file/, [
      ...https,
      "--cert-file=c",
      "--key-file=k",
      "--client-cert-auth",
    ]);
    await refuses(/--initial-advertise-peer-urls is http:\/\/b:1: make them equal/, [
      "--initial-cluster=default=http://a:1",
      "--initial-advertise-peer-urls=http://b:1",
    ]);
    await refuses(/^--max-request-bytes is "1G"/, ["--max-request-bytes=1G"]);
    await refuses(/^\$ETCD_QUOTA_BACKEND_BYTES is "lots"/, [], { ETCD_QUOTA_BACKEND_BYTES: "lots" });
    await refuses(/^--auto-compaction-retention is "5m"; write a whole number/, [
      "--auto-compaction-mode=revision",
      "--auto-compaction-retention=5m",
    ]);
    await refuses(/^\$ETCD_LOG_FORMAT is "yaml"; write json or console$/, [], { ETCD_LOG_FORMAT: "yaml" });
    await refuses(/--cipher-suites has "BOGUS", which is none/, ["--cipher-suites=BOGUS"]);
    await refuses(/^--name is empty/, ["--name="]);
    for (const name of ["listen-client-urls", "listen-peer-urls", "quota-backend-bytes"])
      await refuses(new RegExp(`^--${name} is empty`), [`--${name}=`]);
  });

  it("does not take etcd's own data for an empty directory", async () => {
    mkdirSync("old.etcd/member/wal", { recursive: true });
    await refuses(/^old\.etcd holds the data of etcd itself/, ["--name=old"]);
    mkdirSync("snap/member/snap", { recursive: true });
    await refuses(/^snap holds the data of etcd itself/, ["--data-dir=snap"]);
  });

  it("goes on alone only with data, and begins a cluster without", async () => {
    const fresh = await configure(["--name=f", "--force-new-cluster"]);
    assert.equal(fresh.config.forceNewCluster, false);
    assert.match(fresh.said.join(), /holds no member that could go on/);
    mkdirSync("g.etcd");
    writeFileSync("g.etcd/generation", "");
    assert.equal((await configure(["--name=g", "--force-new-cluster"])).config.forceNewCluster, true);
  });

  it("says what it is, in the form that scripts read", async () => {
    const { result } = await launch(["--version"]);
    assert.ok(result.kind === "print");
    assert.match(result.text, /^etcd Version: \d+\.\d+\.\d+\ndkv Version: \d/);
    const help = (await launch(["-h"])).result;
    assert.ok(help.kind === "print");
    for (const name of etcdFlagNames) assert.ok(help.text.includes(`  --${name}`), name);
  });

  it("ends as etcd does, and says when it is ready", async () => {
    const { result } = await launch([]);
    assert.ok(result.kind === "start");
    assert.deepEqual(result.manners, { readyLine: "ready to serve client requests", diesOfSignals: true });
  });
});
