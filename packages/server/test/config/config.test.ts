import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { readConfig, type Config } from "../../src/config/config.ts";
import { environmentName, flagNames } from "../../src/config/flags.ts";
import { gatherValues } from "../../src/config/values.ts";
import { StartupError } from "../../src/platform/startup-error.ts";

const three = "a=localhost:2380,b=localhost:2381,c=localhost:2382";
const enough = ["--name=a", `--initial-cluster=${three}`, "--listen-peer-address=localhost:2380"];

async function configure(argv: readonly string[], environment: Record<string, string> = {}): Promise<Config> {
  const line = await gatherValues(argv, environment, "1.2.3");
  assert.equal(line.kind, "run");
  return readConfig(line.kind === "run" ? line.values : new Map());
}

async function refuses(
  argv: readonly string[],
  pattern: RegExp,
  environment: Record<string, string> = {},
): Promise<void> {
  await assert.rejects(configure(argv, environment), (error) => {
    assert.ok(error instanceof StartupError, String(error));
    assert.equal(error.kind, "usage");
    assert.match(error.message, pattern);
    assert.doesNotMatch(error.message, /\n/, "one line");
    return true;
  });
}

describe("the flags of dkv", () => {
  it("have the defaults of the system dkv descends from", async () => {
    const config = await configure(enough);
    assert.equal(config.dataDir, "data");
    assert.deepEqual(config.listenClientAddress, { host: undefined, port: 3000 });
    assert.equal(config.heartbeatIntervalMs, 100);
    assert.equal(config.electionTimeoutMs, 1000);
    assert.equal(config.maxRequestBytes, 1.5 * 2 ** 20);
    assert.equal(config.peerTls, undefined);
  });

  it("may be repeated or separated by commas where they are lists", async () => {
    const once = await configure(enough);
    const repeated = await configure([
      "--name=a",
      "--listen-peer-address=localhost:2380",
      "--initial-cluster",
      "a=localhost:2380",
      "--initial-cluster",
      " b=localhost:2381 , c=localhost:2382",
    ]);
    assert.deepEqual(repeated.initialCluster, once.initialCluster);
  });

  it("win over the environment, that over the config file, that over the default", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "dkv-config-")), "dkv.json");
    writeFileSync(
      file,
      JSON.stringify({ "data-dir": "file", "log-level": "warn", "initial-cluster-token": "file" }),
    );
    const environment = { DKV_DATA_DIR: "environment", DKV_LOG_LEVEL: "error", DKV_CONFIG: file };
    const config = await configure([...enough, "--data-dir=flag"], environment);
    assert.equal(config.dataDir, "flag");
    assert.equal(config.logLevel, "error");
    assert.equal(config.initialClusterToken, "file");
    assert.equal(config.logFormat, "text");
  });

  it("each have an environment variable", async () => {
    for (const name of flagNames.filter((one) => one !== "config")) {
      const line = await gatherValues([], { [environmentName(name)]: "given" }, "1.2.3");
      assert.equal(line.kind === "run" && line.values.get(name)?.text, "given");
    }
  });

  it("take only lists of names with addresses that can be dialled", async () => {
    await refuses(["--name=a", "--initial-cluster=a"], /a.*NAME=HOST:PORT/);
    await refuses(["--name=a", "--initial-cluster=a=:2380"], /without a host/);
    await refuses(["--name=a", "--initial-cluster=a=localhost:99999"], /99999/);
    await refuses(["--name=a", "--initial-cluster=a=localhost:1,a=localhost:2"], /the name a twice/);
    await refuses(
      ["--name=a", "--initial-cluster=a=localhost:1,b=localhost:1"],
      /the address localhost:1 twice/,
    );
  });

  it("want the member's own name among the members", async () => {
    await refuses(
      ["--name=x", `--initial-cluster=${three}`],
      /--name x is not in --initial-cluster, which has a, b, c/,
    );
  });

  it("are refused when half of a TLS set is given", async () => {
    await refuses([...enough, "--cert-file=c"], /--cert-file given without --key-file/);
    await refuses([...enough, "--trusted-ca-file=c"], /--trusted-ca-file is given without/);
    await refuses(
      [...enough, "--peer-cert-file=c", "--peer-key-file=k"],
      /given without --peer-trusted-ca-file/,
    );
  });

  it("do not let peers talk in clear beyond this machine unless told to", async () => {
    const open = ["--name=a", `--initial-cluster=${three}`];
    await refuses(open, /in clear on :2380/);
    await refuses([...open, "--listen-peer-address=0.0.0.0:2380"], /in clear on 0.0.0.0:2380/);
    assert.equal((await configure([...open, "--insecure-peers"])).peerTls, undefined);
  });

  it("are refused in one line that says what to write instead", async () => {
    await refuses([...enough, "--initial-cluster-state=maybe"], /"maybe"; write one of new, existing/);
    await refuses([...enough, "--election-timeout=soon"], /"soon"; write a duration such as 100ms/);
    await refuses([...enough, "--election-timeout=200ms"], /less than 5 times --heartbeat-interval/);
    await refuses([...enough, "--max-request-bytes=-1"], /"-1"; write a whole number from 1 to 33554432$/);
    await refuses([...enough, "--max-request-bytes=33554433"], /"33554433"; write a whole number from 1 to/);
    assert.equal((await configure([...enough, "--max-request-bytes=33554432"])).maxRequestBytes, 2 ** 25);
    await refuses([...enough, "--data-dir=a", "--data-dir=b"], /--data-dir is given 2 times/);
    await refuses([...enough, "--no-such-flag=1"], /no-such-flag/);
    await refuses([...enough, "start"], /Unknown argument: start/);
    await refuses([...enough, "--data-dir=\uFFFD"], /--data-dir is not valid UTF-8/);
    await refuses([...enough, "--advertise-peer-address=localhost:1"], /differs from a=localhost:2380/);
    await refuses(
      ["--initial-cluster=a=localhost:2380", "--listen-peer-address=localhost:2380"],
      /--name is missing/,
    );
    await refuses(enough, /\$DKV_LOG_LEVEL is "loud"/, { DKV_LOG_LEVEL: "loud" });
  });

  it("print help with examples and the version", async () => {
    const help = await gatherValues(["--help"], {}, "1.2.3");
    assert.ok(help.kind === "print" && help.text.includes("Examples:") && help.text.includes("DKV_DATA_DIR"));
    assert.deepEqual(await gatherValues(["--version"], {}, "1.2.3"), { kind: "print", text: "1.2.3" });
  });
});
