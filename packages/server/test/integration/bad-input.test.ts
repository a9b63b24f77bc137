import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { certificates, freshCertificates, runningCluster, scratchDirectory } from "./fixture.ts";

const dkv = fileURLToPath(new URL("../../bin/dkv.js", import.meta.url));

interface Outcome {
  readonly code: number | null;
  readonly stderr: string;
}

/** Runs dkv to its end, which bad input brings about at once. */
function run(args: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}): Outcome {
  const { status, stderr } = spawnSync(process.execPath, [dkv, ...args], {
    cwd: options.cwd ?? scratchDirectory(),
    env: { PATH: process.env["PATH"], ...options.env },
    encoding: "utf8",
    timeout: 20_000,
  });
  return { code: status, stderr };
}

function refused({ code, stderr }: Outcome, expected: { code: 1 | 2; text: RegExp }): void {
  assert.equal(code, expected.code, stderr);
  assert.match(stderr, expected.text);
  const complaints = stderr.split("\n").filter((line) => line.startsWith("dkv: "));
  assert.equal(complaints.length, 1, `one line, not: ${stderr}`);
}

const alone = [
  "--name=a",
  "--initial-cluster=a=localhost:1",
  "--listen-peer-address=localhost:0",
  "--listen-client-address=localhost:0",
];

async function occupiedPort(test: TestContext): Promise<string> {
  const server = net.createServer().listen(0, "localhost");
  await new Promise((resolve) => server.once("listening", resolve));
  test.after(() => {
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  return `localhost:${String(address.port)}`;
}

describe("dkv started with something wrong", () => {
  it("ends with 2 and one line when the flags are wrong", () => {
    refused(run(["--name=b", "--initial-cluster=a=localhost:1", "--listen-peer-address=localhost:1"]), {
      code: 2,
      text: /--name b is not in --initial-cluster/,
    });
    refused(run([...alone, "--cert-file=x"]), { code: 2, text: /--cert-file given without --key-file/ });
    refused(run([...alone, "--listen-client-adress=:1"]), { code: 2, text: /listen-client-adress/ });
    refused(run(["--initial-cluster=a=localhost:1"]), { code: 2, text: /--name is missing/ });
    refused(run(["--name=a", "--initial-cluster=a=localhost:1"]), { code: 2, text: /in clear on :2380/ });
  });

  it("ends with 2 when a flag is not valid UTF-8", (test) => {
    // Node's spawn takes text only; a shell passes on the byte.
    const { status, stderr } = spawnSync(
      "sh",
      [
        "-c",
        `exec "$0" "$1" --name="$(printf 'a\\377')" --initial-cluster=a=localhost:1`,
        process.execPath,
        dkv,
      ],
      {
        cwd: scratchDirectory(),
        encoding: "utf8",
      },
    );
    test.diagnostic(stderr.trim());
    refused({ code: status, stderr }, { code: 2, text: /not valid UTF-8/ });
  });

  it("ends with 1 and one line when an address is taken", async (test) => {
    const taken = await occupiedPort(test);
    const peer = [
      "--name=a",
      "--initial-cluster=a=localhost:1",
      "--listen-client-address=localhost:0",
      `--listen-peer-address=${taken}`,
    ];
    const outcomes = await Promise.all([
      runLive(peer),
      runLive([...alone.slice(0, 3), `--listen-client-address=${taken}`]),
    ]);
    for (const outcome of outcomes) refused(outcome, { code: 1, text: /taken|in use/ });
  });

  it("ends with 1 and one line when a certificate cannot be used", async () => {
    const directory = await certificates();
    const other = await freshCertificates();
    const missing = [`--cert-file=${directory}/none.pem`, `--key-file=${directory}/server-key.pem`];
    refused(run([...alone, ...missing]), { code: 1, text: /none\.pem does not exist/ });
    const mixed = [`--cert-file=${directory}/server.pem`, `--key-file=${other}/server-key.pem`];
    refused(run([...alone, ...mixed]), { code: 1, text: /does not belong/ });
    const garbage = join(scratchDirectory(), "garbage.pem");
    writeFileSync(garbage, "not a certificate");
    refused(run([...alone, `--cert-file=${garbage}`, `--key-file=${directory}/server-key.pem`]), {
      code: 1,
      text: /garbage\.pem/,
    });
  });

  it("reads .env.local before .env, and neither over what is set", () => {
    const cwd = scratchDirectory();
    writeFileSync(join(cwd, ".env.local"), "DKV_NAME=local\n");
    writeFileSync(join(cwd, ".env"), "DKV_NAME=plain\nDKV_INITIAL_CLUSTER=a=localhost:1\n");
    refused(run([], { cwd }), { code: 2, text: /--name local is not in --initial-cluster, which has a/ });
    refused(run([], { cwd, env: { DKV_NAME: "set" } }), { code: 2, text: /--name set is not/ });
  });
});

describe("a data directory that a running member uses", () => {
  it("is refused to a second process with a text that says so", async (test) => {
    const cluster = await runningCluster(test, "cleartext", { members: 1 });
    const [member] = cluster.members;
    assert.ok(member !== undefined);
    const outcome = await runLive([
      `--name=${member.name}`,
      `--initial-cluster=${member.name}=${member.peerAddress}`,
      `--data-dir=${member.dataDir}`,
      "--listen-peer-address=localhost:0",
      "--listen-client-address=localhost:0",
    ]);
    refused(outcome, { code: 1, text: /another dkv uses the data directory/ });
  });
});

/** Like {@link run}, without holding up this process, whose sockets or clusters the other one meets. */
async function runLive(args: readonly string[]): Promise<Outcome> {
  const child = spawn(process.execPath, [dkv, ...args], {
    cwd: scratchDirectory(),
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, stderr };
}
