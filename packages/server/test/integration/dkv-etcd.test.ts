/** dkv-etcd in the place of etcd: units, etcdctl and what it prints. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import {
  dkvEtcd,
  type Environment,
  etcdctl,
  foundingOf,
  hasEtcdctl,
  places,
  startUnit,
  type Unit,
  unitOf,
} from "./etcd-unit.ts";
import { certificates, scratchDirectory } from "./fixture.ts";

const skip = hasEtcdctl ? false : "etcdctl is not installed";

/** Names and roles, as `etcdctl member list` has them in the last and the third column. */
async function membersAt(environment: Environment): Promise<readonly string[]> {
  const lines = (await etcdctl(environment, "member", "list")).trim().split("\n");
  return lines
    .map((line) => line.split(", "))
    .map(
      ([, state = "", name = "", , , learner = ""]) =>
        `${name} ${state}${learner === "true" ? " learner" : ""}`,
    )
    .sort((a, b) => (a < b ? -1 : 1));
}

/** What is asked again until it is so; each time it takes a process. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo()));
}

/** The variables that `etcdctl member add` prints. */
const variablesIn = (printed: string): Environment =>
  Object.fromEntries([...printed.matchAll(/^(ETCD_\w+)="(.*)"$/gm)].map(([, name, value]) => [name, value]));

async function three(test: TestContext, directory: string) {
  const [a, b, c, ...others] = await places(["a", "b", "c", "d", "e"], "http");
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  const all = [a, b, c];
  const start = (environment: Environment): readonly Unit[] =>
    all.map((place) => startUnit(test, { ...unitOf(place, directory), ...environment }));
  const units = start(foundingOf(all));
  await Promise.all(units.map(({ ready }) => ready));
  return {
    all,
    others,
    units,
    start,
    client: { ETCDCTL_ENDPOINTS: all.map(({ client }) => client).join(",") },
  };
}

describe("units of etcd that run dkv-etcd", () => {
  it("make a cluster that etcdctl can use, grow by the variables that it prints, and start again", {
    skip,
    timeout: 240_000,
  }, async (test) => {
    const directory = scratchDirectory();
    const { all, others, units, start, client } = await three(test, directory);
    assert.equal(await etcdctl(client, "put", "key", "value"), "OK\n");
    assert.equal(await etcdctl(client, "get", "key"), "key\nvalue\n");
    assert.deepEqual(await membersAt(client), ["a started", "b started", "c started"]);
    const list = await etcdctl(client, "member", "list");
    for (const { peer, client: url } of all) assert.ok(list.includes(`${peer}, ${url}`), list);
    await etcdctl(client, "endpoint", "health", "--cluster");
    assert.equal((await etcdctl(client, "endpoint", "status", "--cluster")).trim().split("\n").length, 3);

    const [fourth, fifth] = others;
    assert.ok(fourth !== undefined && fifth !== undefined);
    const added = variablesIn(await etcdctl(client, "member", "add", "d", `--peer-urls=${fourth.peer}`));
    assert.deepEqual(await membersAt(client), [" unstarted learner", "a started", "b started", "c started"]);
    const joined = startUnit(test, { ...unitOf(fourth, directory), ...added });
    await joined.ready;
    await until(async () => (await membersAt(client)).join() === "a started,b started,c started,d started");
    assert.equal(await etcdctl({ ETCDCTL_ENDPOINTS: fourth.client }, "get", "key"), "key\nvalue\n");

    const asked = ["member", "add", "e", "--learner", `--peer-urls=${fifth.peer}`] as const;
    const learner = startUnit(test, {
      ...unitOf(fifth, directory),
      ...variablesIn(await etcdctl(client, ...asked)),
    });
    await learner.ready;
    await until(async () => (await membersAt(client)).includes("e started learner"));
    const id = (await etcdctl(client, "member", "list")).split("\n").find((line) => line.includes(", e,"));
    await until(() =>
      etcdctl(client, "member", "promote", id?.split(",")[0] ?? "").then(
        () => true,
        () => false,
      ),
    );
    assert.ok((await membersAt(client)).includes("e started"));

    for (const unit of [...units, joined, learner])
      assert.deepEqual(await unit.stop(), { code: null, signal: "SIGTERM" });
    const again = [
      ...start(foundingOf(all)),
      startUnit(test, { ...unitOf(fourth, directory), ...added }),
      startUnit(test, { ...unitOf(fifth, directory), ETCD_INITIAL_CLUSTER_STATE: "existing" }),
    ];
    await Promise.all(again.map(({ ready }) => ready));
    assert.equal(await etcdctl(client, "get", "key"), "key\nvalue\n");
  });

  it("leave one that can be told to go on alone", { skip, timeout: 120_000 }, async (test) => {
    const directory = scratchDirectory();
    const { all, units, client } = await three(test, directory);
    const [place] = all;
    assert.ok(place !== undefined);
    const own = { ETCDCTL_ENDPOINTS: place.client };
    await etcdctl(client, "put", "key", "value");
    // A majority may be the other two; who is asked for it has it afterwards.
    assert.equal(await etcdctl(own, "get", "key"), "key\nvalue\n");
    for (const unit of units) await unit.stop("SIGKILL");
    const alone = startUnit(test, unitOf(place, directory), "--force-new-cluster");
    await alone.ready;
    assert.deepEqual(await membersAt(own), [`${place.name} started`]);
    assert.equal(await etcdctl(own, "get", "key"), "key\nvalue\n");
  });

  it("want certificates of clients, and tell probes how they are in clear", {
    skip,
    timeout: 120_000,
  }, async (test) => {
    const files = await certificates();
    const file = (name: string): string => join(files, name);
    const all = await places(["a", "b", "c"], "https");
    const probes = await places(["a", "b", "c"], "http");
    const shared = {
      ...foundingOf(all),
      ETCD_CLIENT_CERT_AUTH: "true",
      ETCD_CERT_FILE: file("server.pem"),
      ETCD_KEY_FILE: file("server-key.pem"),
      ETCD_TRUSTED_CA_FILE: file("ca.pem"),
      ETCD_PEER_CLIENT_CERT_AUTH: "true",
      ETCD_PEER_CERT_FILE: file("peer.pem"),
      ETCD_PEER_KEY_FILE: file("peer-key.pem"),
      ETCD_PEER_TRUSTED_CA_FILE: file("ca.pem"),
    };
    const units = all.map((place, at) => {
      const environment = { ...unitOf(place, scratchDirectory()), ...shared };
      return startUnit(test, environment, `--listen-metrics-urls=${probes[at]?.client ?? ""}`);
    });
    await Promise.all(units.map(({ ready }) => ready));
    const secure = {
      ETCDCTL_ENDPOINTS: all.map(({ client }) => client).join(","),
      ETCDCTL_CACERT: file("ca.pem"),
    };
    const known = { ...secure, ETCDCTL_CERT: file("client.pem"), ETCDCTL_KEY: file("client-key.pem") };
    assert.equal(await etcdctl(known, "put", "key", "value"), "OK\n");
    await etcdctl(known, "endpoint", "health", "--cluster");
    await assert.rejects(etcdctl(secure, "--dial-timeout=1s", "--command-timeout=1s", "get", "key"));
    for (const { client } of probes)
      assert.equal(((await (await fetch(`${client}/health`)).json()) as { health: string }).health, "true");
  });

  it("tell systemd that they are ready, if it waits for that", { timeout: 60_000 }, async (test) => {
    const directory = scratchDirectory();
    const [place] = await places(["a"], "http");
    assert.ok(place !== undefined);
    const told = join(directory, "told");
    writeFileSync(
      join(directory, "systemd-notify"),
      `#!/bin/sh\necho "$NOTIFY_SOCKET $*" > ${told}.tmp\nmv ${told}.tmp ${told}\n`,
    );
    chmodSync(join(directory, "systemd-notify"), 0o755);
    const waiting = {
      ...unitOf(place, directory),
      NOTIFY_SOCKET: "/run/systemd/notify",
      ETCD_LOG_LEVEL: "debug",
    };
    const path = `${directory}:${process.env["PATH"] ?? ""}`;
    const unit = startUnit(test, { ...waiting, PATH: path });
    await unit.ready;
    await until(async () => existsSync(told));
    assert.equal(readFileSync(told, "utf8"), "/run/systemd/notify --ready\n");
    await unit.stop();
  });
});

describe("dkv-etcd", () => {
  it("says what it is, and ends with the codes that etcd ends with", { timeout: 60_000 }, async () => {
    const version = await dkvEtcd("--version");
    assert.deepEqual([version.code, version.stderr], [0, ""]);
    assert.match(version.stdout, /^etcd Version: \d+\.\d+\.\d+\n/);
    const wrong = await dkvEtcd("--no-such-flag");
    assert.deepEqual([wrong.code, wrong.stderr], [2, "dkv: there is no flag -no-such-flag; see --help\n"]);
    const missing = await dkvEtcd("--config-file=/nowhere/etcd.yml");
    assert.deepEqual(
      [missing.code, missing.stderr],
      [1, "dkv: --config-file: /nowhere/etcd.yml does not exist\n"],
    );
  });
});
