#!/usr/bin/env node
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 12)) {
  process.stderr.write(`dkvctl: needs Node 22.12 or newer and found ${process.versions.node}; run it with npx from the repository\n`);
  process.exit(1);
}
// The bundle starts in half the time. It is there after `npm run bundle`.
await import("../dist/bundle/dkvctl.js").catch((error) => {
  if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
  return import("../dist/main.js");
});
