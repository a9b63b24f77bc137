/** The config file of etcd, its durations, and the table of its flags. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { durationMs } from "../../src/launchers/etcd/durations.ts";
import { type EtcdFlag, etcdFlagNames, etcdFlags, etcdVariable } from "../../src/launchers/etcd/flags.ts";
import { configure, refuses } from "./etcd-launch.ts";

const home = process.cwd();
const scratch = mkdtempSync(join(tmpdir(), "dkv-etcd-"));
before(() => {
  process.chdir(scratch);
});
after(() => {
  process.chdir(home);
  rmSync(scratch, { recursive: true, force: true });
});

describe("the config file of etcd", () => {
  function file(text: string): string {
    writeFileSync("etcd.yml", text);
    return "etcd.yml";
  }

  it("has the values of flags, and those of TLS in groups", async () => {
    const path = file(`
name: 'from-file'
data-dir: /nowhere/data
wal-dir:
snapshot-count: 10000
quota-backend-bytes: 0
listen-peer-urls: https://localhost:2380
listen-client-urls: https://localhost:2379
advertise-client-urls: https://localhost:2379
initial-advertise-peer-urls: https://localhost:2380
initial-cluster: from-file=https://localhost:2380
strict-reconfig-check: yes
enable-pprof: false
proxy: off
client-transport-security:
  cert-file: server.crt
  key-file: server.key
  client-cert-auth: true
  trusted-ca-file: ca.crt
peer-transport-security:
  cert-file: peer.crt
  key-file: peer.key
  trusted-ca-file: ca.crt
  allowed-cn: [etcd-peer]
log-outputs: [stderr]
cipher-suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]
experimental-corrupt-check-time: 60000000000
no-such-key: 1
`);
    const { config, said } = await configure([`--config-file=${path}`, "--name=ignored"], {
      ETCD_NAME: "too",
    });
    assert.equal(config.name, "from-file");
    assert.equal(config.clientTls?.trustedCaFile, "ca.crt");
    assert.deepEqual(config.peerTls?.allowed, { commonNames: ["etcd-peer"], hosts: [] });
    assert.equal(config.corruptCheckIntervalMs, 60_000);
    assert.deepEqual(said, ["etcd.yml has no-such-key, which no flag is called: ignored"]);
    const named = await configure([], { ETCD_CONFIG_FILE: path });
    assert.equal(named.config.name, "from-file");
  });

  it("is refused where it is no such file, in a line that names the place", async () => {
    await refuses(/^--config-file: missing\.yml does not exist/, ["--config-file=missing.yml"]);
    await refuses(/^--config-file: etcd\.yml is not YAML: /, [`--config-file=${file("a: [")}`]);
    await refuses(/must hold keys with values/, [`--config-file=${file("- a")}`]);
    await refuses(/etcd\.yml: "name" is no text/, [`--config-file=${file("name: {a: 1}")}`]);
    await refuses(/etcd\.yml: "peer-transport-security" is a group/, [
      `--config-file=${file("peer-transport-security: 1")}`,
    ]);
    await refuses(/^etcd\.yml: "enable-v2" is "true"/, [`--config-file=${file("enable-v2: true")}`]);
    await refuses(/^etcd\.yml: "debug" is "maybe"/, [`--config-file=${file("debug: maybe")}`]);
  });
});

describe("durations of Go", () => {
  it("are milliseconds", () => {
    for (const [text, ms] of [
      ["0", 0],
      ["0s", 0],
      ["1h30m", 5_400_000],
      ["1.5s", 1500],
      [".5s", 500],
      ["100ms", 100],
      ["60000000000ns", 60_000],
    ] as const)
      assert.equal(durationMs(text), ms);
    for (const text of ["", "1", "-1s", "1x", "s", "1h 30m", "1.s.s"])
      assert.equal(durationMs(text), undefined);
  });
});

describe("the table of etcd's flags", () => {
  const document = readFileSync(new URL("../../../../docs/etcd-compatibility.md", import.meta.url), "utf8");

  it("has a variable of its own for each", () => {
    assert.equal(new Set(etcdFlagNames.map(etcdVariable)).size, etcdFlagNames.length);
  });

  it("is that of the documentation", () => {
    const rowOf = (name: string, { fate, describe: what }: EtcdFlag): string => {
      const text = fate.kind === "heeded" ? what : fate.kind === "ignored" ? fate.because : fate.instead;
      return `| \`--${name}\` | ${fate.kind} | ${text.replaceAll("|", "\\|")} |`;
    };
    const rows = Object.entries(etcdFlags).map(([name, flag]) => rowOf(name, flag));
    const written = document
      .split("\n")
      .filter((line) => /^\| `--[a-z0-9-]+` \| (?:heeded|ignored|refused) \|/.test(line));
    assert.deepEqual(written, rows);
  });
});
