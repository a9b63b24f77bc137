#!/usr/bin/env node
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 12)) {
  process.stderr.write(`dkv: needs Node 22.12 or newer and found ${process.versions.node}; run it with npx from the repository\n`);
  process.exit(1);
}
await import("../dist/main.js");
