#!/usr/bin/env node
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import zlib from "node:zlib";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 12)) {
  process.stderr.write(
    `dkvctl: needs Node 22.12 or newer and found ${process.versions.node}; run it with npx from the repository\n`,
  );
  process.exit(1);
}
const bundle = new URL("../dist/bundle/dkvctl.cjs", import.meta.url);
if (existsSync(bundle) && isOfWhatIsCompiled(bundle)) {
  createRequire(import.meta.url)(fileURLToPath(bundle));
} else if (existsSync(new URL("../dist/main.js", import.meta.url))) {
  await import("../dist/main.js");
} else {
  process.stderr.write("dkvctl: not built yet; run make in the repository\n");
  process.exit(1);
}

/** Its first line has the checksums that tsc's notes had: if it compiled anything since, the bundle is old. */
function isOfWhatIsCompiled(path) {
  const [, madeOf] = /^\/\/ (\[.*\])\n/.exec(readFileSync(path, "latin1")) ?? [];
  if (madeOf === undefined) return false;
  return JSON.parse(madeOf).every(([file, checksum]) => {
    const notes = new URL(file, path);
    return existsSync(notes) && zlib.crc32(readFileSync(notes)) === checksum;
  });
}
