/** Puts a program into one file: it starts in less than half the time of the many that tsc makes. */
import { globSync, readFileSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32 } from "node:zlib";
import { build, type Plugin } from "esbuild";

export interface Program {
  /** The bundle becomes `dist/bundle/NAME.cjs`. */
  readonly name: string;
  /** Of its package, which is compiled. The program is `dist/main.js`, and awaits nothing at its top. */
  readonly directory: URL;
  /** Smaller, but nobody can read its stack traces, and profiles say nothing. */
  readonly minify: boolean;
}

/**
 * Makes the bundle of a program.
 *
 * Its first line says what it is made of, by which `bin/NAME.js` knows an old one: after `tsc --build` alone
 * the many files are run. It is put in place at once, so that a program that is started meanwhile finds the
 * old one or the new one.
 */
export async function bundle({ name, directory, minify }: Program): Promise<void> {
  // Before anything is read: compiling meanwhile makes the bundle an old one.
  const home = fileURLToPath(directory);
  const compiled = checksumsIn(resolve(home, ".."));
  const { outputFiles, metafile } = await build({
    absWorkingDir: home,
    entryPoints: ["dist/main.js"],
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    // CommonJS, because it loads Node's own modules when they are wanted. A module loads all of them at its
    // start, and of node:http even the parts that nobody touches, which alone takes as long as Node itself.
    format: "cjs",
    target: "node22.12",
    minify,
    // Only who makes certificates needs it, and it is as large as everything else.
    external: ["node-forge"],
    legalComments: "eof",
    plugins: [plainWidth, wrapsWords, addonsOutside],
    // Modules are strict, and a file that does not begin with this is not.
    banner: {
      js: '"use strict"; const mainUrl = new URL("../main.js", require("node:url").pathToFileURL(__filename)).href;',
    },
    define: { "import.meta.url": "mainUrl" },
  });
  const target = resolve(home, "dist/bundle", `${name}.cjs`);
  const inputs = Object.keys(metafile.inputs).map((input) => resolve(home, input));
  const madeOf = [...compiled]
    .filter(([notes]) => inputs.some((input) => input.startsWith(`${dirname(notes)}/`)))
    .map(([notes, checksum]) => [relative(dirname(target), notes), checksum]);
  await mkdir(dirname(target), { recursive: true });
  const temporary = `${target}.${String(process.pid)}.tmp`;
  for (const { text } of outputFiles) await writeFile(temporary, `// ${JSON.stringify(madeOf)}\n${text}`);
  await rename(temporary, target);
}

/** Of what tsc notes in each package when it has compiled anything: it names every source by its checksum. */
function checksumsIn(packages: string): ReadonlyMap<string, number> {
  const notes = globSync("*/dist/.tsbuildinfo", { cwd: packages }).map((path) => resolve(packages, path));
  return new Map(notes.map((path) => [path, crc32(readFileSync(path))]));
}

/** Native addons are found from where they lie. That of bcrypt is looked for by the path of its own file. */
const addonsOutside: Plugin = {
  name: "addons-outside",
  setup(bundled) {
    bundled.onResolve({ filter: /^bcrypt$/ }, () => ({ path: "bcrypt", external: true }));
    bundled.onResolve({ filter: /^\.\/binding$/ }, ({ importer }) =>
      importer.includes("/classic-level/") ? { path: "classic-level/binding.js", external: true } : undefined,
    );
  },
};

/**
 * yargs measures text by `string-width`, whose tables of emoji take longer to set up than everything else
 * that a command does. The help is plain ASCII, where the width is the length.
 */
const plainWidth: Plugin = {
  name: "plain-width",
  setup(bundled) {
    bundled.onResolve({ filter: /^string-width$/ }, () => ({
      path: "string-width",
      namespace: "plain-width",
    }));
    bundled.onLoad({ filter: /^/, namespace: "plain-width" }, () => ({
      contents: "export default (text) => text.length;",
    }));
  },
};

/** yargs wraps in the middle of words; this does so only where a word is longer than the line. */
const wrapsWords: Plugin = {
  name: "wraps-words",
  setup(bundled) {
    bundled.onResolve({ filter: /\/string-utils\.js$/ }, ({ importer }) =>
      importer.includes("cliui") ? { path: "string-utils", namespace: "wraps-words" } : undefined,
    );
    bundled.onLoad({ filter: /^/, namespace: "wraps-words" }, () => ({
      contents: `
        export const stripAnsi = (text) => text;
        export const wrap = (text, width) =>
          text.replaceAll(new RegExp("(?=.{" + (width + 1) + "})(?:(.{1," + width + "}) +|(.{" + width + "}))", "g"),
            (_, words = "", piece = "") => words + piece + "\\n");
      `,
    }));
  },
};
