/** The list of mutants keeps up with the code, so that `make mutants` does not find that out after minutes. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, it, type TestContext } from "node:test";
import { noticedBy } from "./mutants/chase.ts";
import { Control } from "./mutants/control.ts";
import { type Finder, huntBySimulation, simulationArgs } from "./mutants/hunt.ts";
import { mutants } from "./mutants/list.ts";
import { mistakesIn } from "./mutants/mistakes.ts";
import { type Mutant, mutated } from "./mutants/mutant.ts";
import { root } from "./sources.ts";

const mutant: Mutant = { does: "adds", file: "src/a.ts", guard: "x + y", tests: ["test/*.test.ts"] };

describe("the mutants", () => {
  it("take out guards that stand in their files exactly once, and name tests that exist", () => {
    assert.deepEqual(mistakesIn(mutants), []);
  });
});

describe("a mutant", () => {
  it("puts exactly what it says in the place of its guard", () => {
    assert.equal(mutated(mutant, "return x + y;"), "return ;");
    assert.equal(mutated({ ...mutant, instead: "$& $1" }, "return x + y;"), "return $& $1;");
  });

  it("that takes out nothing, or not only one thing, is a mistake, and so is one that nobody looks for", (test) => {
    const directory = mkdtempSync(join(tmpdir(), "dkv-mutant-"));
    test.after(() => {
      rmSync(directory, { recursive: true });
    });
    for (const name of ["src", "test"]) mkdirSync(join(directory, name));
    writeFileSync(join(directory, "src/a.ts"), "return x + y;");
    writeFileSync(join(directory, "src/b.ts"), "return x + y + x + y;");
    writeFileSync(join(directory, "test/a.test.ts"), "");
    assert.deepEqual(mistakesIn([mutant], directory), []);
    const wrong: readonly Partial<Mutant>[] = [
      { guard: "x - y" },
      { file: "src/b.ts" },
      { file: "src/c.ts" },
      { instead: "x + y" },
      { tests: ["test/*.test.ts", "test/b.test.ts"] },
    ];
    for (const change of wrong) assert.equal(mistakesIn([{ ...mutant, ...change }], directory).length, 1);
    assert.deepEqual(mistakesIn([mutant, mutant], directory), ['"adds" is there twice']);
  });
});

describe("a test that fails without a guard", () => {
  /** A tree with tests that fail by what is in their directory. */
  function treeOf(isMutated: boolean): string {
    const directory = mkdtempSync(join(tmpdir(), "dkv-mutant-"));
    const fails: Readonly<Record<string, string>> = {
      "1-broken": "true",
      "2-flaky": `!existsSync("was-here") && (writeFileSync("was-here", ""), ${String(isMutated)})`,
      "3-fine": "false",
      "4-notices": String(isMutated),
      "5-notices-too": String(isMutated),
    };
    for (const [name, condition] of Object.entries(fails))
      writeFileSync(
        join(directory, `${name}.test.mjs`),
        `import { it } from "node:test";
         import { existsSync, writeFileSync } from "node:fs";
         it("${name} passes", () => { if (${condition}) throw new Error(); });`,
      );
    return directory;
  }

  it("has noticed it, unless it fails with the guard as well, or passes when it is run again", async (test) => {
    const [sound, mutated] = [treeOf(false), treeOf(true)];
    test.after(() => {
      for (const directory of [sound, mutated]) rmSync(directory, { recursive: true });
    });
    const ground = { environment: process.env, signal: test.signal };
    const control = new Control({ ...ground, directory: sound });
    const tests = ["*.test.mjs"];
    const finder = await noticedBy({ tests }, { ...ground, directory: mutated }, control);
    assert.equal(finder, "4-notices passes (4-notices.test.mjs)");
    assert.deepEqual(await control.failures(), [{ file: "1-broken.test.mjs", test: "1-broken passes" }]);
    assert.equal(await noticedBy({ tests }, { ...ground, directory: sound }, control), undefined);
  });
});

describe("a simulator without a guard", () => {
  /** Hunts with a simulator that is this program. */
  async function huntWith(test: TestContext, program: string): Promise<Finder> {
    const directory = mkdtempSync(join(tmpdir(), "dkv-mutant-"));
    test.after(() => {
      rmSync(directory, { recursive: true });
    });
    const place = join(directory, "packages/simulator/dist");
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, "main.js"), program);
    return huntBySimulation({ directory, environment: process.env, signal: test.signal }, 60_000);
  }

  it("has noticed it as soon as it tells of a seed", async (test) => {
    const program = 'console.log("seed 7 failed; looking for a smaller run"); setInterval(() => {}, 1000);';
    assert.equal(await huntWith(test, program), "make sim SEED=7");
  });

  it("has noticed it if it ends otherwise than well, and not if it ends well", async (test) => {
    assert.equal(await huntWith(test, "process.exitCode = 3;"), "the simulator ends with code 3");
    const killed = 'process.kill(process.pid, "SIGABRT");';
    assert.equal(await huntWith(test, killed), "the simulator ends with SIGABRT");
    assert.equal(await huntWith(test, 'console.log("seeds 7");'), undefined);
  });
});

describe("the simulator of this tree", () => {
  it("takes the words that it is called with", async () => {
    const child = spawn(process.execPath, simulationArgs, {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [first] = await once(createInterface({ input: child.stdout }), "line");
    child.kill("SIGKILL");
    assert.match(String(first), /seeds of regressions, and 1000000 from \d+ on$/);
  });
});

describe("make mutants", () => {
  it("says in one line what is wrong, and what explains more", () => {
    const main = join(root, "tools/mutants/main.ts");
    const wrong = ["--simulate=x", "--only=no such guard", "--fast"];
    for (const word of wrong) {
      const { status, stderr } = spawnSync(process.execPath, [main, word], { encoding: "utf8" });
      assert.equal(status, 2);
      assert.match(stderr, /^mutants: .+\nmutants: node tools\/mutants\/main\.ts --help explains\n$/);
    }
  });
});
