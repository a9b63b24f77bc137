/** The list of mutants keeps up with the code, so that `make mutants` does not find that out after minutes. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { noticedBy } from "./mutants/chase.ts";
import { Control } from "./mutants/control.ts";
import { mutants } from "./mutants/list.ts";
import { mistakesIn } from "./mutants/mistakes.ts";
import { type Mutant, mutated } from "./mutants/mutant.ts";

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
