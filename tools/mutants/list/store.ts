/** What the store promises: transactions, ranges, history, leases and watches. */
import type { Mutant } from "../mutant.ts";

const src = "packages/store/src";
const consensus = "packages/server/src/consensus";

/** Stories of that name first. */
const story = (name: string) => [
  `packages/store/test/stories/${name}.test.ts`,
  "packages/store/test/*/*.test.ts",
];
const lease = (name: string) => ofConsensus("leases", name);
const watch = (name: string) => ofConsensus("watch", name);

function ofConsensus(folder: string, name: string): readonly string[] {
  const tests = `packages/server/test/consensus/${folder}`;
  return [`${tests}/${name}.test.ts`, `${tests}/*.test.ts`];
}

const transactions: readonly Mutant[] = [
  {
    does: "sets a key that is not as it has to be",
    file: `${src}/txn/write.ts`,
    guard:
      '  if (BigInt(before?.modRevision ?? 0) !== command.modRevision)\n    throw new Refusal(before === undefined ? "keyMissing" : "keyChanged");\n',
    tests: story("txn"),
  },
  {
    does: "names what a transaction itself has made as the version that a key had before",
    file: `${src}/txn/scope.ts`,
    guard: "return now?.modRevision === this.revision ? this.#state.facts(key) : now;",
    instead: "return now;",
    tests: story("twice"),
  },
  {
    does: "shows the comparisons of a nested transaction what was written before it",
    file: `${src}/txn/execute.ts`,
    guard: `{ case: "decided", value: decide(reading, operation.value) }`,
    instead: `{ case: "decided", get value() { return decide(reading, operation.value); } }`,
    tests: story("txn"),
  },
  {
    does: "forgets what was applied while a transaction waited for the disk",
    file: `${src}/overlay/overlay.ts`,
    guard: "    if (this.#holders > 0) this.#kept = [layer, ...this.#kept];\n",
    tests: ["packages/store/test/overlay.test.ts", ...story("range")],
  },
];

const reading: readonly Mutant[] = [
  {
    does: "reads ranges without what is being written to the disk",
    file: `${src}/overlay/overlay.ts`,
    guard: "return [this.#open, ...this.#beingWritten, ...this.#kept];",
    instead: "return [this.#open, ...this.#kept];",
    tests: story("range"),
  },
  {
    does: "reads a revision that was given up",
    file: `${src}/store.ts`,
    guard: `      if (query.revision > 0 && query.revision < compaction.revision) return this.#refused("compacted");\n`,
    tests: story("history"),
  },
  {
    does: "removes a delete at the compact revision, which a watch from there has to tell of",
    file: `${src}/history/compaction.ts`,
    guard: "    if (place.revision === compaction.revision) continue;\n",
    tests: story("history"),
  },
  {
    does: "removes the index of a key that the revision has made again after a delete",
    file: `${src}/history/compaction.ts`,
    guard: "if (isPassing) overlay.remove(changeKey(place));",
    instead: "if (isPassing) removeVersion(overlay, key, place);",
    tests: story("twice"),
  },
];

const leases: readonly Mutant[] = [
  {
    does: "ends leases by the time that a leader of an earlier term has measured",
    file: `${src}/execute.ts`,
    guard: "term === BigInt(entry.term) ? ids : []",
    instead: "term <= BigInt(entry.term) ? ids : []",
    tests: story("lease"),
  },
  {
    does: "ends a lease in the place of an earlier one that had its id",
    file: `${src}/lease/leases.ts`,
    guard: "return lease !== undefined && BigInt(lease.grantedIndex) <= applied ? lease : undefined;",
    instead: "return applied < 0n ? undefined : lease;",
    tests: story("lease"),
  },
  {
    does: "leaves a deleted key with its lease",
    file: `${src}/txn/write.ts`,
    guard: "    moveLease(scope, key, { from: before.lease, to: noLease });\n",
    tests: story("lease"),
  },
  {
    does: "keeps a lease alive without asking a quorum whether it still leads",
    file: `${consensus}/leases/leases.ts`,
    guard: "      await readBarrier(leftMs());\n",
    instead: "      await Promise.resolve([readBarrier, leftMs]);\n",
    tests: lease("keep-alive"),
  },
  {
    does: "keeps a lease alive that is about to be ended",
    file: `${consensus}/leases/lease-times.ts`,
    guard: "if (lease === undefined || lease.isEnding) return false;",
    instead: "if (lease === undefined) return false;",
    tests: lease("lease-times"),
  },
  {
    does: "ends leases before it knows all of them",
    file: `${consensus}/leases/lease-times.ts`,
    guard: "    if (!this.isKnown) return [];\n",
    tests: lease("lease-times"),
  },
];

const watches: readonly Mutant[] = [
  {
    does: "ends a watch as compacted that has everything left to tell",
    file: `${consensus}/watch/catch-up.ts`,
    guard: "if (next < compacted) {",
    instead: "if (next <= compacted) {",
    tests: watch("compaction"),
  },
  {
    does: "goes on with a watch whose next revision was given up",
    file: `${consensus}/watch/catch-up.ts`,
    guard: "if (next < compacted) {",
    instead: "if (next < 0) {",
    tests: watch("compaction"),
  },
  {
    does: "tells a watch that was further what others have to catch up with",
    file: `${consensus}/watch/catch-up.ts`,
    guard: "if (watcher.next >= first) deliver(watcher, batch);",
    instead: "deliver(watcher, batch);",
    tests: watch("catch-up"),
  },
  {
    does: "says that a watch was told what only stands in its queue",
    file: `${consensus}/watch/stream.ts`,
    guard: "    if (queued !== undefined) return queued - 1;\n",
    tests: watch("watches"),
  },
  {
    does: "tells of progress before watches have caught up",
    file: `${consensus}/watch/stream.ts`,
    guard: `      if (state !== "follows") return false;\n`,
    tests: watch("watches"),
  },
];

export const storeMutants: readonly Mutant[] = [...transactions, ...reading, ...leases, ...watches];
