/** The README's sections with output are typed into a shell, on a fresh cluster, in their order. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { addresses, certificates, runningCluster } from "./fixture.ts";

const repository = fileURLToPath(new URL("../../../../", import.meta.url));
const readme = readFileSync(join(repository, "README.md"), "utf8");

interface Section {
  readonly commands: string;
  readonly output: string;
}

/** What its blocks say is typed, and what is said to come of it. */
function section(title: string): Section {
  const [, rest] = readme.split(`\n## ${title}\n`);
  const [text] = (rest ?? assert.fail(`the README has no section ${title}`)).split("\n## ");
  const blocks = [...(text ?? "").matchAll(/^```console\n(.*?)^```$/gms)].map(([, block]) => block ?? "");
  const lines = blocks.join("").split("\n").slice(0, -1);
  const commands = lines.filter((line) => line.startsWith("$ ")).map((line) => line.slice(2));
  const output = lines.filter((line) => !line.startsWith("$ "));
  assert.ok(commands.length > 0, `${title} has commands`);
  return { commands: commands.join("\n"), output: output.map((line) => `${line}\n`).join("") };
}

/** npx finds the same in five times the time; that it finds them, seed-commands.test.ts shows. */
const npx = `npx() { program=$1; shift; "node_modules/.bin/$program" "$@"; }`;

/** Resolves to what the shell has printed when that is as long as it should be, or the shell is done. */
async function type(test: TestContext, { commands, output }: Section, environment: NodeJS.ProcessEnv) {
  const shell = spawn("sh", ["-c", `${npx}\n${commands}\nwait`], {
    cwd: repository,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  test.after(() => {
    endGroup(shell);
  });
  let printed = "";
  for await (const piece of shell.stdout.setEncoding("utf8")) {
    printed += String(piece);
    // A watch would go on for ever.
    if (commands.includes("&\n") && printed.length >= output.length) break;
  }
  endGroup(shell);
  return printed;
}

/** What it has started as well: dkvctl, perhaps in the background. */
function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch (error) {
    // All of it has ended by itself.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

describe("the README", { timeout: 300_000 }, () => {
  it("says of time to live, compare and swap, watch and lock what comes of it", async (test) => {
    const cluster = await runningCluster(test, "tls");
    const endpoint = "localhost:3000,localhost:3001,localhost:3002";
    assert.ok(readme.includes(`$ export DKVCTL_ENDPOINT=${endpoint}\n`));
    const environment = {
      DKVCTL_CACERT: join(await certificates(), "ca.pem"),
      DKVCTL_TIMEOUT: "30s",
    };
    for (const title of ["Time to live", "Compare and swap", "Watch", "Lock"]) {
      const { commands, output } = section(title);
      const here = commands.replace(/^export DKVCTL_ENDPOINT=.*$/m, "");
      const typed = { commands: `exec 2>&1\n${here}`, output };
      const at = { ...environment, DKVCTL_ENDPOINT: addresses(cluster).join(",") };
      assert.equal(await type(test, typed, at), output, title);
    }
  });
});
