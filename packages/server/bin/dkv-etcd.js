#!/usr/bin/env -S MALLOC_ARENA_MAX=2 node --max-semi-space-size=16 --heap-growing-percent=70
// dkv by the flags of etcd; what stands above is explained in dkv.js.
process.argv.splice(2, 0, "etcd");
await import("./dkv.js");
