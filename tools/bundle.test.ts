/** A bundle is run as long as it is what the many files are, and no longer. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { bundle } from "./bundle.ts";
import { root } from "./sources.ts";

/** Says what it is, and whether it is strict, as every module is. */
const program = `
  import { one } from "../../library/dist/index.js";
  const isStrict = (function () { return this === undefined; })();
  process.stdout.write(JSON.stringify({ one, isStrict, from: import.meta.url.endsWith("/dist/main.js") }));
`;

for (const { name, folder } of [
  { name: "dkv", folder: "server" },
  { name: "dkvctl", folder: "dkvctl" },
]) {
  describe(`bin/${name}.js`, () => {
    const directory = mkdtempSync(join(tmpdir(), "dkv-bundle-"));
    after(() => {
      rmSync(directory, { recursive: true });
    });
    const home = join(directory, folder);
    const write = (path: string, text: string): void => {
      mkdirSync(join(directory, path, ".."), { recursive: true });
      writeFileSync(join(directory, path), text);
    };
    const compile = (one: string): void => {
      write("library/dist/index.js", `export const one = ${JSON.stringify(one)};`);
      write("library/dist/.tsbuildinfo", one);
    };
    const make = async (): Promise<void> => {
      await bundle({ name, directory: pathToFileURL(`${home}/`), minify: false });
    };
    const run = (): unknown =>
      JSON.parse(execFileSync(process.execPath, [join(home, "bin", `${name}.js`)], { encoding: "utf8" }));
    write(`${folder}/package.json`, '{ "type": "module" }');
    write("library/package.json", '{ "type": "module" }');
    cpSync(join(root, "packages", folder, "bin"), join(home, "bin"), { recursive: true });
    write(`${folder}/dist/main.js`, program);
    write(`${folder}/dist/.tsbuildinfo`, "of the program");

    it("runs the bundle, which is strict and takes itself for dist/main.js", async () => {
      compile("first");
      await make();
      // What is not noted was not compiled.
      write("library/dist/index.js", 'export const one = "second";');
      assert.deepEqual(run(), { one: "first", isStrict: true, from: true });
    });

    it("runs the many files once anything was compiled that went into the bundle", async () => {
      compile("first");
      await make();
      compile("second");
      assert.deepEqual(run(), { one: "second", isStrict: true, from: true });
      await make();
      assert.deepEqual(run(), { one: "second", isStrict: true, from: true });
    });

    it("runs the many files when the bundle does not say what it is made of", () => {
      compile("first");
      write(`${folder}/dist/bundle/${name}.cjs`, "process.stdout.write('of an earlier version');\n");
      assert.deepEqual(run(), { one: "first", isStrict: true, from: true });
    });

    it("stays with the bundle when something else was compiled", async () => {
      compile("first");
      await make();
      write("neighbour/dist/.tsbuildinfo", "of another");
      write("library/dist/index.js", "what nobody compiled");
      assert.deepEqual(run(), { one: "first", isStrict: true, from: true });
    });
  });
}
