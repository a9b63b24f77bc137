import assert from "node:assert/strict";
import { type ChildProcessByStdio, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { after, describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { isFree } from "../../src/platform/ports.ts";
import { poll } from "../../src/platform/time.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../../../", import.meta.url));
const main = join(root, "packages/cluster/dist/main.js");
const directory = mkdtempSync(join(tmpdir(), "dkv-make-cluster-"));
after(() => {
  rmSync(directory, { recursive: true, force: true });
});

interface Program {
  readonly process: ChildProcessByStdio<null, Readable, Readable>;
  /** All that it printed. */
  readonly printed: () => string;
  /** Resolves when it has printed this; rejects when it ends before. */
  readonly waitFor: (text: string) => Promise<void>;
  readonly exitCode: Promise<number | null>;
}

function start(test: TestContext, ...args: readonly string[]): Program {
  const child = spawn(process.execPath, [main, ...args], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  test.after(() => child.kill("SIGKILL"));
  let printed = "";
  const exitCode = once(child, "close").then(() => child.exitCode);
  const waitFor = async (text: string): Promise<void> => {
    while (!printed.includes(text)) {
      const ended = exitCode.then(() => "ended");
      const more = Promise.race([once(child.stdout, "data"), ended]);
      if ((await more) === "ended") throw new Error(`it ended without printing "${text}":\n${printed}`);
    }
  };
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (printed += String(chunk)));
  return { process: child, printed: () => printed, waitFor, exitCode };
}

/** The lines that it told its reader to type. */
function suggested(printed: string): readonly string[] {
  return printed.split("\n").flatMap((line) => /^ {2}((?:npx|curl) .*)$/.exec(line)?.[1] ?? []);
}

/** npx finds the same program in five times the time; that it does, seed-commands.test.ts shows. */
async function type(line: string): Promise<string> {
  const { stdout } = await run("sh", ["-c", line.replace(/^npx /, "node_modules/.bin/")], { cwd: root });
  return stdout;
}

describe("make cluster", () => {
  for (const args of [["--insecure"], []]) {
    const name = args.length === 0 ? "with TLS" : "in clear";
    it(`${name} runs three members until it is interrupted, and goes on with their data`, async (test) => {
      const first = start(test, "--directory", join(directory, name), ...args);
      await first.waitFor("Ctrl-C stops all members");
      const lines = suggested(first.printed());
      const [set, get, remove, list, curlSet, curlGet] = lines;
      assert.ok(
        set && get && remove && list && curlSet && curlGet,
        `six lines to type, got ${lines.join("; ")}`,
      );
      await type(set);
      assert.equal(await type(get), "hello\n");
      await type(remove);
      assert.match(await type(list), /dkv-0.*dkv-1.*dkv-2/s);
      await type(curlSet);
      assert.match(await type(curlGet), /"value":"aGVsbG8="/);
      first.process.kill("SIGINT");
      assert.equal(await first.exitCode, 0, first.printed());
      assert.ok(!first.printed().includes("\u001b"), "no colour where there is no terminal");

      const second = start(test, "--directory", join(directory, name), ...args);
      await second.waitFor("Ctrl-C stops all members");
      assert.equal(await type(get), "hello\n");
      second.process.kill("SIGTERM");
      assert.equal(await second.exitCode, 0, second.printed());
      for (const port of [2380, 2381, 2382, 3000, 3001, 3002])
        assert.ok(await isFree(port), `${port} is free again`);
    });
  }

  it("says in one line which addresses are in use, before anything starts", async (test) => {
    const servers = [2381, 3000].map((port) => createServer().listen(port, "127.0.0.1"));
    await Promise.all(servers.map((server) => once(server, "listening")));
    test.after(() => {
      for (const server of servers) server.close();
    });
    const { exitCode, printed } = start(test, "--directory", join(directory, "never"));
    assert.equal(await exitCode, 1);
    assert.equal(
      printed(),
      "cluster: localhost:2381, localhost:3000 are in use; " +
        "stop what listens there (another make cluster?) and try again\n",
    );
  });

  it("leaves no member behind when it is killed", async (test) => {
    const program = start(test, "--insecure", "--directory", join(directory, "killed"));
    await program.waitFor("Ctrl-C stops all members");
    program.process.kill("SIGKILL");
    for (const port of [3000, 3001, 3002]) {
      await poll(async () => ((await isFree(port)) ? true : undefined), {
        timeoutMs: 10_000,
        explain: () => new Error(`a member still listens on ${String(port)}`),
      });
    }
  });
});
