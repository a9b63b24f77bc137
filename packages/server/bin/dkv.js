#!/usr/bin/env -S node --max-semi-space-size=8
// What a request allocates is garbage soon after. A small young generation collects it as cheaply as the
// default one does, and takes 100 MB less. It can only be set before the process starts, hence above.
import { existsSync } from "node:fs";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 12)) {
  process.stderr.write(
    `dkv: needs Node 22.12 or newer and found ${process.versions.node}; run it with npx from the repository\n`,
  );
  process.exit(1);
}
if (!existsSync(new URL("../dist/main.js", import.meta.url))) {
  process.stderr.write("dkv: not built yet; run make in the repository\n");
  process.exit(1);
}
await import("../dist/main.js");
