import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { scratchDirectory } from "./fixture.ts";

const run = promisify(execFile);
const repository = fileURLToPath(new URL("../../../../", import.meta.url));
const npx = ["npx", "--no-install"] as const;

/** The command lines of the README, to the letter but for where the data goes. */
function commandLine(member: 0 | 1 | 2, directory: string): string {
  return `dkv --name dkv-${String(member)} \
  --initial-cluster=dkv-0=localhost:2380,dkv-1=localhost:2381,dkv-2=localhost:2382 \
  --initial-cluster-state=new \
  --data-dir=${join(directory, `dkv-${String(member)}`)} \
  --listen-peer-address=localhost:238${String(member)} \
  --listen-client-address=localhost:300${String(member)}`;
}

describe("the commands of the system dkv descends from", () => {
  it("start three members and use them, from the root of the repository with npx", {
    timeout: 120_000,
  }, async (test) => {
    const directory = scratchDirectory();
    for (const member of [0, 1, 2] as const) {
      mkdirSync(join(directory, `dkv-${String(member)}`));
      const child = spawn("sh", ["-c", `exec ${npx.join(" ")} ${commandLine(member, directory)}`], {
        cwd: repository,
        stdio: "ignore",
        detached: true,
      });
      test.after(() => {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      });
    }
    const dkvctl = async (line: string): Promise<string> =>
      (
        await run("sh", ["-c", `${npx.join(" ")} dkvctl --endpoint=localhost:3000 ${line}`], {
          cwd: repository,
        })
      ).stdout;
    await untilItWorks(() => dkvctl("set key value"));
    assert.equal(await dkvctl("get key"), "value\n");
    assert.match(await dkvctl("member-list"), /dkv-2.*localhost:2382.*localhost:3002/);
  });
});

/** npx and three members take a while to start; each attempt waits for an answer of its own. */
async function untilItWorks(attempt: () => Promise<unknown>): Promise<void> {
  const endsAt = performance.now() + 60_000;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (performance.now() > endsAt) throw error;
    }
  }
}
