import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it, type TestContext } from "node:test";
import { readConfig } from "../../src/config/config.ts";
import type { Setters } from "../../src/config/value-reader.ts";
import { gatherValues } from "../../src/config/values.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { noteRemoval } from "../../src/storage/removal-note.ts";
import { openMember } from "../../src/start/open-member.ts";
import { recordingLogger } from "../transport/fixture.ts";

function scratch(test: TestContext): string {
  const dataDir = mkdtempSync(join(tmpdir(), "dkv-open-member-"));
  test.after(() => {
    rmSync(dataDir, { recursive: true });
  });
  return dataDir;
}

/** Opens the directory of member a, closes it again, and returns what was said of it. */
function open(dataDir: string, ...told: readonly string[]) {
  return launch(dataDir, told, {});
}

/** The same with flags that something sets which is no flag of dkv. */
async function launch(dataDir: string, told: readonly string[], setters: Setters) {
  const ports = ["--listen-peer-address=localhost:0", "--listen-client-address=localhost:0"];
  const line = await gatherValues(["--name=a", `--data-dir=${dataDir}`, ...ports, ...told], {}, "1.2.3");
  assert.ok(line.kind === "run");
  const { logger, log } = recordingLogger();
  const deps = { clock: systemClock, random: systemRandom, logger };
  await openMember(readConfig(line.values, setters), deps).then((storage) => storage.close());
  return log.items;
}

it("a later start says that it ignores the members it is told, if they are not those it has", async (test) => {
  const dataDir = scratch(test);
  /** What is said of it, with its level. */
  const start = async (members: string, token: string): Promise<readonly (readonly [number, string])[]> => {
    const items = await open(dataDir, `--initial-cluster=${members}`, `--initial-cluster-token=${token}`);
    return items.filter(({ msg }) => /ignored/.test(msg)).map(({ level, msg }) => [level, msg]);
  };
  const info = [30, "the data directory is in use already: --initial-cluster and its token are ignored"];
  assert.deepEqual(await start("a=localhost:1,b=localhost:2", "one"), []);
  assert.deepEqual(await start("a=localhost:1,b=localhost:2", "one"), []);
  // As with a restored cluster, whose id depends on more than its members.
  assert.deepEqual(await start("b=localhost:2,a=localhost:1", "other"), []);
  assert.deepEqual(await start("a=localhost:1,b=localhost:3", "one"), [info]);
  assert.deepEqual(await start("a=localhost:1,c=localhost:2", "one"), [info]);
  assert.deepEqual(await start("a=localhost:1", "one"), [info]);
  assert.deepEqual(await start("b=localhost:1", "one"), [info]);
  assert.deepEqual(await start("b=localhost:1,b=localhost:1", "one"), [info]);
});

it("a later start warns of a file whose members are ignored", async (test) => {
  const dataDir = scratch(test);
  await open(dataDir, "--initial-cluster=a=localhost:1");
  const file = { "initial-cluster": "config.json" };
  const items = await launch(dataDir, ["--initial-cluster=a=localhost:1,b=localhost:2"], file);
  const said = items.filter(({ msg }) => /ignored/.test(msg)).map(({ level, msg }) => [level, msg]);
  const text =
    "the data directory is in use already: its members are not those of config.json, which are ignored";
  assert.deepEqual(said, [[40, text]]);
});

it("a first start makes nothing while one of its addresses is taken or there twice", async (test) => {
  const dataDir = join(scratch(test), "data");
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  test.after(() => {
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const taken = `127.0.0.1:${String(port)}`;
  for (const flag of ["--listen-text-address", "--listen-binary-address"]) {
    const opened = open(dataDir, "--initial-cluster=a=localhost:1", `${flag}=${taken}`);
    await assert.rejects(opened, { kind: "environment", message: new RegExp(`choose another ${flag}`) });
    const twice = ["--listen-text-address", "--listen-binary-address"].map((one) => `${one}=${taken}`);
    await assert.rejects(open(dataDir, "--initial-cluster=a=localhost:1", ...twice), { kind: "usage" });
  }
  assert.equal(existsSync(dataDir), false);
});

it("a later start needs no members that a first one would take", async (test) => {
  const dataDir = scratch(test);
  const elsewhere = "--advertise-peer-address=localhost:9";
  const odd: readonly (readonly string[])[] = [
    ["--initial-cluster=b=localhost:2", "--initial-cluster-state=new"],
    ["--initial-cluster=a=localhost:1", "--initial-cluster-state=existing"],
    ["--initial-cluster=a=localhost:1,b=localhost:1"],
    ["--initial-cluster=a=localhost:1", elsewhere],
    [],
  ];
  for (const flags of odd) await assert.rejects(open(dataDir, ...flags), { kind: "usage" });
  await open(dataDir, "--initial-cluster=a=localhost:1");
  for (const flags of odd) await open(dataDir, ...flags);
});

it("a member that was removed says so, whatever members it is told", async (test) => {
  const dataDir = scratch(test);
  const { logger } = recordingLogger();
  await open(dataDir, "--initial-cluster=a=localhost:1");
  noteRemoval(dataDir, logger);
  await assert.rejects(open(dataDir, "--initial-cluster=b=localhost:1"), {
    message: /^this member was removed from its cluster/,
  });
});

it("a later start names the flag of a certificate file that is not there before it opens anything", async (test) => {
  const dataDir = scratch(test);
  await open(dataDir, "--initial-cluster=a=localhost:1");
  const missing = join(dataDir, "none.pem");
  for (const prefix of ["", "peer-"]) {
    const names = ["cert-file", "key-file", "trusted-ca-file"];
    const files = names.map((name) => `--${prefix}${name}=${missing}`);
    await assert.rejects(open(dataDir, ...files), {
      message: `--${prefix}cert-file ${missing} does not exist`,
    });
  }
});
