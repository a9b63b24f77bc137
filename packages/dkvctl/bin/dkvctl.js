#!/usr/bin/env node
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 12)) {
  process.stderr.write(
    `dkvctl: needs Node 22.12 or newer and found ${process.versions.node}; run it with npx from the repository\n`,
  );
  process.exit(1);
}
// The bundle is there after `npm run bundle`, and starts in a third of the time.
const bundle = fileURLToPath(new URL("../dist/bundle/dkvctl.cjs", import.meta.url));
if (existsSync(bundle)) {
  createRequire(import.meta.url)(bundle);
} else if (existsSync(new URL("../dist/main.js", import.meta.url))) {
  await import("../dist/main.js");
} else {
  process.stderr.write("dkvctl: not built yet; run make in the repository\n");
  process.exit(1);
}
