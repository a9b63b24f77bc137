import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../dist/store/main.js", import.meta.url));

async function scratchDirectory(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "bench-store-test-"));
  context.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Runs the built command with its temporary files in `directory`; `onProgress` sees what it tells. */
async function store(
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

const tiny =
  "--watches 20 --watch-connections 3 --watch-rate 50 --watchers 500 --streams 5 --watch-calls 20 " +
  // Of such values a range takes two pages.
  "--value-bytes 8000 --keys 500 --restarts 1 --range-keys 300 --ranges 2 --revisions 500 --rate 50 " +
  "--leases 60 --lease-ttl 2 --lease-streams 4 --lease-expiry --warmup 0 --seconds 0.5 --settle 0";

test("a small run measures everything, writes the results and leaves nothing else", async (context) => {
  const directory = await scratchDirectory(context);
  const file = join(directory, "results", "out.json");
  const { code, output, errors } = await store(directory, [...tiny.split(" "), "--json", file]);
  assert.equal(code, 0, errors);
  assert.match(output, /events, 20 watches, 50 writes\/s +all, in order +met/);
  assert.match(output, /kept alive on 4 streams, all +none missed +met/);
  assert.match(output, /there after 4 s +all +met +60 leases and 60 keys of 60/);
  for (const figure of [
    "from write to event",
    "500 on 5 streams, keys of their own",
    "20 calls on 20 connections",
    "until a keep-alive was answered",
    "ended, left alone",
    "memory, 500 keys of 8000 bytes",
    "first read after kill -9",
    "event loop held, 2 x 300 keys",
    "writes, compacting",
  ]) {
    assert.ok(output.includes(figure), `${figure} in\n${output}`);
  }
  const results: unknown = JSON.parse(await readFile(file, "utf8"));
  assert.ok(typeof results === "object" && results !== null);
  const parts = [
    "delivery",
    "watchers",
    "calls",
    "leases",
    "memory",
    "restart",
    "range",
    "compaction",
    "machine",
    "options",
  ];
  assert.ok(parts.every((key) => key in results));
  assert.deepEqual(await readdir(directory), ["results"]);
});

test("an interrupted run stops its processes, removes their data and exits with 130", async (context) => {
  const directory = await scratchDirectory(context);
  const { code, errors } = await store(
    directory,
    ["--only", "range", "--keys", "100", "--range-keys", "50", "--warmup", "1000"],
    (told, pid) => {
      if (told.includes("100 writes in")) process.kill(pid, "SIGINT");
    },
  );
  assert.equal(code, 130, errors);
  assert.deepEqual(await readdir(directory), []);
});

test("a wrong flag is one line on stderr and exit code 2", async () => {
  const { code, output, errors } = await store(tmpdir(), ["--watches", "none"]);
  assert.equal(code, 2);
  assert.equal(output, "");
  assert.equal(errors, 'bench-store: --watches takes a whole number from 1 to 20000, not "none"\n');
});
