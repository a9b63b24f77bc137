#!/usr/bin/env -S MALLOC_ARENA_MAX=2 node --max-semi-space-size=16 --heap-growing-percent=70
// What can only be set before the process starts, hence above:
// - What a write allocates is garbage as soon as it is saved, within a second, and what is collected before is
//   copied. So a larger young generation collects less often and copies less: 9,700, 10,900 and 12,000 sets a
//   second of 256 clients with 8, 16 and 32 MiB, in 245, 260 and 360 MB.
// - What outlives that, and is garbage then, V8 leaves until the heap is three times as large as what it holds.
//   Before it is twice as large is 60 MB less after many writes, for 5 % more time on other threads.
// - LevelDB's memory is taken by whichever thread writes, and glibc keeps it for that thread.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import zlib from "node:zlib";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 12)) {
  process.stderr.write(
    `dkv: needs Node 22.12 or newer and found ${process.versions.node}; run it with npx from the repository\n`,
  );
  process.exit(1);
}
const bundle = new URL("../dist/bundle/dkv.cjs", import.meta.url);
if (existsSync(bundle) && isOfWhatIsCompiled(bundle)) {
  createRequire(import.meta.url)(fileURLToPath(bundle));
} else if (existsSync(new URL("../dist/main.js", import.meta.url))) {
  await import("../dist/main.js");
} else {
  process.stderr.write("dkv: not built yet; run make in the repository\n");
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
