import assert from "node:assert/strict";
import { test } from "node:test";
import { readRestoreCommand } from "../../src/config/restore-command.ts";
import { StartupError } from "../../src/platform/startup-error.ts";

const enough = ["it.dkv", "--name=a", "--initial-cluster=a=localhost:2380,b=localhost:2381"];

async function refuses(words: readonly string[], pattern: RegExp): Promise<void> {
  await assert.rejects(readRestoreCommand(words, {}, "1.2.3"), (error) => {
    assert.ok(error instanceof StartupError, String(error));
    assert.equal(error.kind, "usage");
    assert.match(error.message, pattern);
    return true;
  });
}

test("a restore takes a file and what a new cluster's member is told", async () => {
  const command = await readRestoreCommand(enough, { DKV_DATA_DIR: "there" }, "1.2.3");
  assert.ok(command.kind === "restore");
  assert.deepEqual(command.request, {
    file: "it.dkv",
    name: "a",
    dataDir: "there",
    initialCluster: [
      { name: "a", address: "localhost:2380" },
      { name: "b", address: "localhost:2381" },
    ],
    initialClusterToken: "dkv-cluster",
  });
});

test("flags that matter to a running member may stand there as well", async () => {
  const flags = ["--listen-peer-address=localhost:2380", "--log-level=debug"];
  assert.equal((await readRestoreCommand([...enough, ...flags], {}, "1.2.3")).kind, "restore");
});

test("what cannot be meant is refused", async () => {
  await refuses([], /restore needs a backup: write dkv restore FILE/);
  await refuses(enough.slice(1), /restore needs a backup/);
  await refuses(enough.slice(0, 2), /--initial-cluster is missing/);
  await refuses(["it.dkv", ...enough.slice(2)], /--name is missing/);
  await refuses([...enough.slice(0, 2), "--initial-cluster=b=localhost:2381"], /--name a is not in/);
  const long = "n".repeat(256);
  await refuses(["it.dkv", `--name=${long}`, `--initial-cluster=${long}=localhost:1`], /at most 255$/);
  await refuses([...enough, "--nonsense"], /nonsense/);
  await refuses([...enough, "other.dkv"], /other\.dkv/);
});

test("help names the flags that it needs", async () => {
  const command = await readRestoreCommand(["--help"], {}, "1.2.3");
  assert.ok(command.kind === "print");
  for (const flag of ["--name", "--data-dir", "--initial-cluster", "--initial-cluster-token"])
    assert.ok(command.text.includes(flag));
});
