import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../dist/main.js", import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs the built command with its temporary files in `directory`; calls `whenRow` after its first row. */
async function bench(
  directory: string,
  args: readonly string[],
  whenRow?: (pid: number) => void,
): Promise<Ended> {
  const child = spawn(process.execPath, [program, ...args], { env: { ...process.env, TMPDIR: directory } });
  const isRow = (chunk: Buffer): boolean => chunk.includes("[1/");
  child.stderr.on("data", (chunk: Buffer) => {
    if (isRow(chunk) && child.pid !== undefined) whenRow?.(child.pid);
  });
  const exited = once(child, "exit");
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  return { code: child.exitCode, output, errors };
}

async function inDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "bench-test-"));
  try {
    await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const short = ["--only", "ceiling", "--warmup", "0.1", "--seconds", "0.3", "--keys", "100"];

test("a run prints the table, writes the results and leaves nothing else", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "results", "out.json");
    const { code, output, errors } = await bench(directory, [
      ...short,
      "--clients",
      "1,20",
      "--work",
      "set,get",
      "--json",
      file,
    ]);
    assert.equal(code, 0, errors);
    assert.match(output, /^work +clients +system +calls\/s/m);
    const results: unknown = JSON.parse(await readFile(file, "utf8"));
    assert.ok(
      typeof results === "object" && results !== null && "rows" in results && Array.isArray(results.rows),
    );
    const rows: readonly Record<string, unknown>[] = results.rows;
    assert.deepEqual(
      rows.map((row) => [row["work"], row["clients"], row["errors"]]),
      [
        ["set", 1, 0],
        ["set", 20, 0],
        ["get", 1, 0],
        ["get", 20, 0],
      ],
    );
    assert.ok(rows.every((row) => Number(row["callsPerSecond"]) > 100));
    assert.deepEqual(await readdir(directory), ["results"]);
  });
});

test("an interrupted run stops its processes, removes their data and exits with 130", async () => {
  await inDirectory(async (directory) => {
    const { code } = await bench(directory, [...short, "--clients", "1,2", "--seconds", "2"], (pid) => {
      process.kill(pid, "SIGINT");
    });
    assert.equal(code, 130);
    assert.deepEqual(await readdir(directory), []);
  });
});

test("a wrong flag is one line on stderr and exit code 2", async () => {
  const { code, output, errors } = await bench(tmpdir(), ["--clients", "none"]);
  assert.equal(code, 2);
  assert.equal(output, "");
  assert.equal(errors, 'bench: --clients takes a whole number from 1 to 100000, not "none"\n');
});
