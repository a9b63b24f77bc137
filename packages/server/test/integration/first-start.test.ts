import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { scratchDirectory } from "./fixture.ts";

const dkv = fileURLToPath(new URL("../../bin/dkv.js", import.meta.url));

const alone = [
  "--name=a",
  "--initial-cluster=a=localhost:1",
  "--listen-peer-address=localhost:0",
  "--listen-client-address=localhost:0",
  "--log-level=error",
];

interface Outcome {
  readonly code: unknown;
  readonly complaints: string;
}

/** Runs dkv to its end, for which it has some seconds. */
function run(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    const env = { PATH: process.env["PATH"], ...environment };
    const options = { cwd: scratchDirectory(), env, timeout: 20_000, killSignal: "SIGKILL" } as const;
    execFile(process.execPath, [dkv, ...args], options, (error, _output, complaints) => {
      resolve({ code: error?.code ?? error?.signal ?? 0, complaints });
    });
  });
}

describe("a first start", () => {
  it("makes no data directory while a certificate or an address cannot be had", async (test) => {
    const server = net.createServer().listen(0, "localhost");
    await once(server, "listening");
    test.after(() => {
      server.close();
    });
    const address = server.address();
    assert.ok(typeof address === "object" && address !== null);
    const taken = `localhost:${String(address.port)}`;
    const wrong: readonly (readonly [readonly string[], RegExp])[] = [
      [["--cert-file=none.pem", "--key-file=none.pem"], /--cert-file none\.pem does not exist/],
      [
        ["--peer-cert-file=none.pem", "--peer-key-file=none.pem", "--peer-trusted-ca-file=none.pem"],
        /--peer-cert-file none\.pem does not exist/,
      ],
      [[`--listen-peer-address=${taken}`], /cannot listen for peers.*taken.*--listen-peer-address/],
      [[`--listen-client-address=${taken}`], /cannot listen for clients.*taken.*--listen-client-address/],
      [["--listen-peer-address=192.0.2.1:0", "--insecure-peers"], /no such address; see --listen-peer-add/],
    ];
    for (const [flags, words] of wrong) {
      const dataDir = join(scratchDirectory(), "data");
      const names = flags.map((one) => one.slice(0, one.indexOf("=")));
      const rest = alone.filter((one) => !names.includes(one.slice(0, one.indexOf("="))));
      const { code, complaints } = await run([...rest, ...flags, `--data-dir=${dataDir}`]);
      assert.match(complaints, words);
      assert.equal(complaints.split("\n").length, 2, complaints);
      assert.equal(code, 1);
      assert.equal(existsSync(dataDir), false, flags.join(" "));
    }
  });

  it("wants the members of its cluster before anything else", async () => {
    const dataDir = join(scratchDirectory(), "data");
    const { code, complaints } = await run(["--name=x", `--data-dir=${dataDir}`]);
    assert.match(complaints, /^dkv: --initial-cluster is missing.*--initial-cluster=x=localhost:2380.*\n$/);
    assert.equal(code, 2);
    assert.equal(existsSync(dataDir), false);
  });

  it("says in one line where no data directory can be made, and ends", async () => {
    const file = join(scratchDirectory(), "file");
    writeFileSync(file, "");
    for (const dataDir of ["/proc/nope", "/proc/nope/deeper", file, join(file, "deeper")]) {
      const { code, complaints } = await run([...alone, `--data-dir=${dataDir}`]);
      assert.match(complaints, /^dkv: cannot use the data directory .*\n$/);
      assert.ok(complaints.includes(dataDir));
      assert.equal(code, 1);
    }
  });

  it("tells of a misspelt variable of the environment and goes on", async () => {
    const environment = { DKV_LOG_LEVEL: "error", DKV_DATA_DRI: "elsewhere" };
    const { code, complaints } = await run(["--name=b", ...alone.slice(1)], environment);
    const [warning = "", error = ""] = complaints.split("\n");
    assert.match(warning, /^dkv: .*\$DKV_DATA_DRI.*did you mean \$DKV_DATA_DIR\?$/);
    assert.match(error, /^dkv: --name b is not in --initial-cluster/);
    assert.equal(code, 2);
  });
});
