import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../dist/recovery/main.js", import.meta.url));

async function scratchDirectory(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "bench-recovery-test-"));
  context.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Runs the built command with its temporary files in `directory`; `onProgress` sees what it tells. */
async function recovery(
  directory: string,
  args: readonly string[],
  onProgress: (text: string, pid: number) => void = () => undefined,
) {
  const child = spawn(process.execPath, [program, ...args], { env: { ...process.env, TMPDIR: directory } });
  child.stderr.on("data", (chunk: Buffer) => {
    onProgress(chunk.toString(), child.pid ?? 0);
  });
  const exited = once(child, "exit");
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  return { code: child.exitCode, output, errors };
}

test("a small run measures everything, writes the results and leaves nothing else", async (context) => {
  const directory = await scratchDirectory(context);
  const file = join(directory, "results", "out.json");
  const small = "--keys 500 --rate 50 --warmup 0 --seconds 1 --restarts 1 --kills 1 --dkv-only";
  const { code, output, errors } = await recovery(directory, [...small.split(" "), "--json", file]);
  assert.equal(code, 0, errors);
  for (const what of [
    "writes, joining",
    "memory, new member",
    "first read after kill -9",
    "without a write",
  ]) {
    assert.match(output, new RegExp(what));
  }
  const results: unknown = JSON.parse(await readFile(file, "utf8"));
  assert.ok(typeof results === "object" && results !== null);
  assert.ok(["join", "restart", "failovers", "machine", "options"].every((key) => key in results));
  assert.deepEqual(await readdir(directory), ["results"]);
});

test("an interrupted run stops its processes, removes their data and exits with 130", async (context) => {
  const directory = await scratchDirectory(context);
  const { code, errors } = await recovery(
    directory,
    ["--only", "failover", "--kills", "1000", "--dkv-only"],
    (told, pid) => {
      if (told.includes("without a write")) process.kill(pid, "SIGINT");
    },
  );
  assert.equal(code, 130, errors);
  assert.deepEqual(await readdir(directory), []);
});

test("a wrong flag is one line on stderr and exit code 2", async () => {
  const { code, output, errors } = await recovery(tmpdir(), ["--kills", "none"]);
  assert.equal(code, 2);
  assert.equal(output, "");
  assert.equal(errors, 'bench-recovery: --kills takes a whole number from 1 to 10000, not "none"\n');
});
