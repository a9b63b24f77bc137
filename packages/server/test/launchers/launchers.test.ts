/** What launchers make of their arguments, without starting anything. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { readConfig } from "../../src/config/config.ts";
import { gatherValues } from "../../src/config/values.ts";
import { cache } from "../../src/launchers/cache.ts";
import { kvstore } from "../../src/launchers/kvstore.ts";
import type { Launch, LauncherDeps } from "../../src/launchers/launcher.ts";
import { minikv } from "../../src/launchers/minikv.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { refusal } from "./refusal.ts";

const home = process.cwd();
const scratch = mkdtempSync(join(tmpdir(), "dkv-launchers-"));
before(() => {
  process.chdir(scratch);
});
after(() => {
  process.chdir(home);
  rmSync(scratch, { recursive: true, force: true });
});

function deps(
  environment: LauncherDeps["environment"] = {},
  say: LauncherDeps["say"] = () => undefined,
): LauncherDeps {
  return { environment, clock: systemClock, say };
}

/** Nobody is to be asked, or answers. */
function unasked(line: string): never {
  throw new Error(line);
}

async function takenPort(test: TestContext): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  test.after(() => {
    server.close();
  });
  return (server.address() as net.AddressInfo).port;
}

function wordsOf(launch: Launch): readonly string[] {
  assert.ok(launch.kind === "start");
  return launch.words;
}

/** A directory that looks like a member's. */
function inUse(name: string): string {
  mkdirSync(join(scratch, name));
  writeFileSync(join(scratch, name, "generation"), "");
  return name;
}

describe("dkv minikv", () => {
  it("begins a cluster of one that is called by its address", async () => {
    const words = wordsOf(await minikv(["--bootstrap=true", "--node=fresh"], deps()));
    assert.deepEqual(words, [
      "--name=127.0.0.1:7000",
      "--data-dir=./fresh",
      "--listen-peer-address=127.0.0.1:7000",
      "--listen-client-address=127.0.0.1:6000",
      "--query-interface",
      "--initial-cluster=127.0.0.1:7000=127.0.0.1:7000",
      "--initial-cluster-state=new",
    ]);
  });

  it("neither begins a cluster nor joins one where there is data", async () => {
    const node = inUse("used");
    const plain = wordsOf(await minikv([`--node=${node}`], deps()));
    assert.ok(plain.every((word) => !word.includes("initial")));
    const said: string[] = [];
    const noting = deps({}, (line) => said.push(line));
    for (const flag of ["--bootstrap=true", "--join=127.0.0.1:1"])
      assert.deepEqual(wordsOf(await minikv([`--node=${node}`, flag], noting)), plain);
    assert.deepEqual(
      said,
      ["-bootstrap=true", "-join=127.0.0.1:1"].map(
        (flag) => `./${node} holds a member already, which goes on: ${flag} is ignored`,
      ),
    );
  });

  it("asks nobody while an address of its own cannot be had, and names the flag of it", async (test) => {
    const taken = `127.0.0.1:${String(await takenPort(test))}`;
    const join = async (flag: string): Promise<Launch> =>
      minikv(["-raft=127.0.0.1:0", `-${flag}=${taken}`, "-join=127.0.0.1:1"], deps({}, unasked));
    for (const flag of ["http", "raft"])
      await assert.rejects(join(flag), refusal(new RegExp(`choose another -${flag}$`), "environment"));
  });

  it("refuses what it cannot do", async () => {
    const refused = (words: readonly string[], pattern: RegExp): Promise<void> =>
      assert.rejects(minikv(words, deps({}, unasked)), refusal(pattern));
    await refused([], /^\.\/node1 holds no member yet: add -bootstrap=true .* or -join=HOST:PORT/);
    await refused(["-bootstrap", "-join=a:1"], /give one of the two/);
    await refused(["-bootstrap", "-raft=:7000"], /^-raft is ":7000": write the host too/);
    await refused(["-bootstrap", "-raft=0.0.0.0:7000"], /write the host too/);
    await refused(["-bootstrap", "-http=6000"], /^-http is "6000"; write HOST:PORT/);
    await refused(
      ["-join=127.0.0.1:1", "-http=:6000"],
      /^-http is ":6000": .* 127\.0\.0\.1:6000 .* or 0\.0\.0\.0:6000 /,
    );
    await refused(["-bootstrap", "-node="], /^-node is empty/);
    for (const join of ["nonsense", "https://nonsense", "a:99999", "a:1/join"])
      await refused([`-join=${join}`], /^-join is ".*"; write HOST:PORT/);
    await refused(["-join=:6000"], /^-join is ":6000": write the host too/);
    inUse("there");
    await refused(["-node=there", "-join=nonsense"], /^-join is "nonsense"/);
  });
});

const variables = { SERVER_PORT: "2221", RAFT_NODE_ID: "node1", RAFT_PORT: "1111", RAFT_VOL_DIR: "vol" };

describe("dkv cache", () => {
  it("begins a cluster if it is told of no leader", async () => {
    for (const port of [undefined, "", "0"]) {
      const words = wordsOf(await cache([], deps({ ...variables, LEADER_PORT: port })));
      assert.deepEqual(words, [
        "--name=node1",
        "--data-dir=vol",
        "--listen-peer-address=127.0.0.1:1111",
        "--listen-client-address=127.0.0.1:12221",
        "--listen-binary-address=127.0.0.1:2221",
        "--query-interface",
        "--initial-cluster=node1=127.0.0.1:1111",
        "--initial-cluster-state=new",
      ]);
    }
  });

  it("asks nobody where there is data", async () => {
    const given = { ...variables, RAFT_VOL_DIR: inUse("cache"), LEADER_PORT: "1" };
    const said: string[] = [];
    const noting = (environment: LauncherDeps["environment"]) => deps(environment, (line) => said.push(line));
    assert.ok(wordsOf(await cache([], noting(given))).every((word) => !word.includes("initial")));
    assert.deepEqual(said, ["cache holds a member already, which goes on: LEADER_PORT=1 is ignored"]);
    await cache([], noting({ ...given, LEADER_PORT: "" }));
    assert.equal(said.length, 1);
  });

  it("asks nobody while an address of its own cannot be had, and names the variable of it", async (test) => {
    const given = { ...variables, RAFT_PORT: String(await takenPort(test)), LEADER_PORT: "1" };
    const taken = refusal(/cannot listen for peers.*choose another \$RAFT_PORT$/, "environment");
    await assert.rejects(cache([], deps(given, unasked)), taken);
    const twice = { ...variables, RAFT_PORT: "2221" };
    const launch = await cache([], deps(twice));
    assert.ok(launch.kind === "start");
    const line = await gatherValues(launch.words, {}, "1.2.3");
    assert.ok(line.kind === "run");
    assert.throws(
      () => readConfig(line.values, launch.setters),
      refusal(/^\$SERVER_PORT and \$RAFT_PORT are both 127\.0\.0\.1:2221/),
    );
  });

  it("names the variable that is missing or wrong", async () => {
    for (const name of Object.keys(variables)) {
      const refused = cache([], deps({ ...variables, [name]: "" }));
      await assert.rejects(refused, refusal(new RegExp(`^\\$${name} is missing`)));
    }
    const wrong = (given: Record<string, string>, pattern: RegExp): Promise<void> =>
      assert.rejects(cache([], deps({ ...variables, ...given })), refusal(pattern));
    await wrong({ SERVER_PORT: "0" }, /^\$SERVER_PORT is "0": write a port/);
    await wrong({ RAFT_PORT: "65536" }, /^\$RAFT_PORT is "65536": write a port/);
    await wrong({ LEADER_PORT: "here" }, /^\$LEADER_PORT is "here": write a port/);
    await wrong({ SERVER_PORT: "60000" }, /port 70000, 10000 above 60000, and there is no such port/);
    await assert.rejects(cache(["2221"], deps(variables)), refusal(/takes no "2221"/));
    const help = await cache(["--help"], deps());
    assert.ok(help.kind === "print" && Object.keys(variables).every((name) => help.text.includes(name)));
  });
});

const servers = [
  { Id: 0, Hostname: "localhost", ClientPort: 9000, LogPort: 9050 },
  { Id: 1, Hostname: "other.example", ClientPort: 9001, LogPort: 9051 },
];

function writeConfig(content: unknown): void {
  writeFileSync("config.json", typeof content === "string" ? content : JSON.stringify(content));
}

describe("dkv kvstore", () => {
  it("is the server of that id among all that config.json names, each on its own host", async () => {
    writeConfig({ Path: "/tmp", Servers: servers });
    assert.deepEqual(wordsOf(await kvstore(["1"])), [
      "--name=1",
      "--data-dir=saved_S1.state",
      "--initial-cluster=0=localhost:9050,1=other.example:9051",
      "--initial-cluster-state=new",
      "--listen-peer-address=other.example:9051",
      "--listen-client-address=other.example:19001",
      "--listen-text-address=other.example:9001",
    ]);
  });

  it("says how it is used when it is asked, and that it needs an id when it is told nothing", async () => {
    assert.equal((await kvstore(["--help"])).kind, "print");
    await assert.rejects(
      kvstore([]),
      refusal(/^kvstore needs the id of a server in config\.json: write dkv kv/),
    );
  });

  it("calls its addresses by their names in config.json", async () => {
    writeConfig({ Servers: servers });
    const launch = await kvstore(["1"]);
    assert.ok(launch.kind === "start");
    assert.deepEqual(launch.setters, {
      "initial-cluster": "config.json",
      "listen-peer-address": "LogPort of server 1 in config.json",
      "listen-client-address": "ClientPort of server 1 in config.json, which is 10000 below",
      "listen-text-address": "ClientPort of server 1 in config.json",
    });
  });

  it("refuses what cannot be meant", async () => {
    const refused = (words: readonly string[], pattern: RegExp): Promise<void> =>
      assert.rejects(kvstore(words), refusal(pattern));
    writeConfig({ Servers: servers });
    await refused(["2"], /^config\.json has no server 2; there are 0, 1$/);
    await refused(["0", "1"], /takes one server's id/);
    for (const content of ["", "[]", "{}", '{"Servers":[]}', '{"Servers":{}}', "null"]) {
      writeConfig(content);
      await refused(["0"], /^config\.json (is not JSON|names no servers)/);
    }
    const row = servers[0];
    for (const [wrong, pattern] of [
      [{ ...row, Id: "0" }, /entry 1: "Id" is "0"; write a whole number/],
      [{ ...row, Id: -1 }, /"Id" is -1/],
      [
        { ...row, ClientPort: 65_536 },
        /server 0: "ClientPort" is 65536; write a whole number from 1 to 65535/,
      ],
      [{ ...row, ClientPort: 0 }, /server 0: "ClientPort" is 0; write a whole number from 1 to 65535/],
      [{ ...row, LogPort: 0 }, /server 0: "LogPort" is 0; write/],
      [{ ...row, LogPort: 1.5 }, /"LogPort" is 1\.5/],
      [{ ...row, Hostname: "" }, /"Hostname" is ""; write the name of its machine/],
      [7, /"Hostname" is undefined/],
    ] as const) {
      writeConfig({ Servers: [wrong] });
      await refused(["0"], pattern);
    }
    writeConfig({ Servers: [row, row] });
    await refused(["0"], /has an Id twice/);
    writeConfig({ Servers: [row, { ...row, Id: 7 }] });
    await refused(["0"], /servers 0 and 7 have the same Hostname and LogPort/);
    rmSync("config.json");
    await assert.rejects(
      kvstore(["0"]),
      refusal(/^config\.json does not exist in \/.*: .* such as \{"Servers":\[\{"Id":0,/, "environment"),
    );
  });
});
