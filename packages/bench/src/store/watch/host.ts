/**
 * A member's watches and nothing else of it: a process that opens many, and tells what they cost.
 *
 * `node --expose-gc host.js STREAMS WATCHERS own|shared` writes one line of JSON. `own`: each watches a key of
 * its own; `shared`: all watch the same prefix.
 */
import { Store, behindPrefix, onlyKey, toByteString } from "@dkv/store";
import { WatchHub } from "@dkv/server/consensus/watch/hub";
import { systemClock } from "@dkv/server/platform/clock";
import { limits } from "@dkv/server/start/limits";
import { sleep } from "../../platform/clock.ts";

const collections = 5;
const restMs = 50;

const [streams = 0, watchers = 0] = process.argv.slice(2, 4).map(Number);
const isShared = process.argv[4] === "shared";

const nowhere = {
  get: () => undefined,
  scan: async function* () {
    yield [];
  },
  getMany: (keys: readonly Uint8Array[]) => Promise.resolve(keys.map(() => undefined)),
};
const store = new Store(nowhere, { cacheBytes: 0 });
const hub = new WatchHub(limits.watches, {
  store,
  clock: systemClock,
  electionTimeoutMs: 1000,
  refusal: () => undefined,
  fatal: (error) => {
    throw error;
  },
});

const before = await memory();
const opened = Array.from({ length: streams }, () => hub.open());
for (let at = 0; at < watchers; at += 1) opened[at % streams]?.create(at, spec(at));
// As a door does, which waits for what there is to tell.
const reading = opened.map((stream) => stream.next());
const after = await memory();
process.stdout.write(
  `${JSON.stringify({
    heapBytes: after.heapUsed - before.heapUsed,
    externalBytes: after.external - before.external,
    residentBytes: after.rss - before.rss,
  })}\n`,
);
for (const stream of opened) stream.close();
await Promise.all(reading);

/** Made anew for each, as from a request. */
function spec(at: number): Parameters<(typeof opened)[number]["create"]>[1] {
  const key = toByteString(Buffer.from(isShared ? "services/" : `services/instance-${at}`));
  const interval = isShared ? { from: key, before: behindPrefix(key) } : onlyKey(key);
  return { interval, startRevision: 0, wantPrevious: false, wantSets: true, wantDeletes: true };
}

async function memory(): Promise<NodeJS.MemoryUsage> {
  for (let left = collections; left > 0; left -= 1) {
    globalThis.gc?.();
    await sleep(restMs);
  }
  return process.memoryUsage();
}
