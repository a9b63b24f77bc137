/**
 * Makes dist/bundle/dkvctl.cjs: all of dkvctl in one file, which starts in a third of the time of the many.
 *
 * Wants the packages compiled (`tsc -b`). The file is put in place at once, so that a dkvctl started
 * meanwhile sees the old one or the new one.
 */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { build, type Plugin } from "esbuild";

const here = new URL(".", import.meta.url);
const target = new URL("dist/bundle/dkvctl.cjs", here);
const temporary = new URL(`dist/bundle/dkvctl.${process.pid}.tmp`, here);

/**
 * yargs measures text by `string-width`, whose tables of emoji take longer to set up than everything else
 * that a command does. The help is plain ASCII, where the width is the length.
 */
const plainWidth: Plugin = {
  name: "plain-width",
  setup(bundle) {
    bundle.onResolve({ filter: /^string-width$/ }, () => ({
      path: "string-width",
      namespace: "plain-width",
    }));
    bundle.onLoad({ filter: /^/, namespace: "plain-width" }, () => ({
      contents: "export default (text) => text.length;",
    }));
  },
};

const { version } = JSON.parse(await readFile(new URL("package.json", here), "utf8")) as {
  readonly version: string;
};
const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL("dist/main.js", here))],
  absWorkingDir: fileURLToPath(here),
  bundle: true,
  write: false,
  platform: "node",
  // CommonJS, because it loads Node's own modules when they are wanted. A module loads all of them at its
  // start, and of node:http even the parts that nobody touches, which alone takes as long as Node itself.
  format: "cjs",
  target: "node22.12",
  minify: true,
  legalComments: "eof",
  plugins: [plainWidth],
  banner: { js: 'const bundleUrl = require("node:url").pathToFileURL(__filename).href;' },
  define: { DKVCTL_VERSION: JSON.stringify(version), "import.meta.url": "bundleUrl" },
});
await mkdir(new URL("dist/bundle/", here), { recursive: true });
for (const file of outputFiles) await writeFile(temporary, file.contents);
await rename(temporary, target);
