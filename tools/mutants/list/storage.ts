/** What is on disk, and in which order it came there. */
import type { Mutant } from "../mutant.ts";

const storage = "packages/server/src/storage";
const tests = "packages/server/test/storage";
/** That one first. */
const by = (file: string) => [`${tests}/${file}.test.ts`, `${tests}/*.test.ts`];
const receiving = ["packages/server/test/snapshot/received-snapshot.test.ts"];

export const storageMutants: readonly Mutant[] = [
  {
    does: "acknowledges a large batch, or one on a slow disk, without a sync",
    file: `${storage}/log/disk-sync.ts`,
    guard: "    else await fdatasyncElsewhere(descriptor);\n",
    tests: by("log-sync"),
  },
  {
    does: "acknowledges a large batch, or one on a slow disk, before its sync is over",
    file: `${storage}/log/disk-sync.ts`,
    guard: "    else await fdatasyncElsewhere(descriptor);\n",
    instead: "    else void fdatasyncElsewhere(descriptor).catch(() => undefined);\n",
    tests: by("log-sync"),
  },
  {
    does: "acknowledges a small batch on a fast disk without a sync",
    file: `${storage}/log/disk-sync.ts`,
    guard: "    fdatasyncSync(descriptor);\n",
    tests: by("log-sync"),
  },
  {
    does: "believes a record whose checksum is wrong",
    file: `${storage}/log/record.ts`,
    guard: "  if (crc32(body, header.check) !== checksum) return undefined;\n",
    tests: by("log-record"),
  },
  {
    does: "drops entries from the log that the durable state lacks",
    file: `${storage}/member-storage.ts`,
    guard: "Math.min(upTo, savedState.appliedIndex)",
    instead: "Math.max(upTo, savedState.appliedIndex)",
    tests: by("compaction"),
  },
  {
    does: "deletes the log's files before the state says where the log begins",
    file: `${storage}/member-storage.ts`,
    guard: "      await savedState.saveBase(base, log);\n      await log.dropBefore(base);\n",
    instead: "      await log.dropBefore(base);\n      await savedState.saveBase(base, log);\n",
    tests: by("compaction-damage"),
  },
  {
    does: "writes on after a write that failed",
    file: `${storage}/member-storage.ts`,
    guard: `      if (this.#stopped === "open") this.#stopped = "failed";\n`,
    tests: by("member-storage"),
  },
  {
    // That it is not complete is noticed again when it is read. This guard keeps a wrong end from costing
    // what was received: the stored state is not what is wrong then.
    does: "throws away what was received of a snapshot when its end is told too early",
    file: `${storage}/snapshot/received-snapshot.ts`,
    guard: "    checkTrailer(trailer, this.#progress);\n    if (this.#phase",
    instead: "    if (this.#phase",
    tests: receiving,
  },
  {
    does: "switches to a snapshot of which the disk holds less than was sent",
    file: `${storage}/snapshot/received-snapshot.ts`,
    guard: "    checkTrailer(trailer, { ...this.#progress, records, chain });\n",
    tests: receiving,
  },
  {
    does: "switches to a snapshot without reading what LevelDB holds of it",
    file: `${storage}/snapshot/received-snapshot.ts`,
    guard: "        await this.#checkStored(trailer);\n",
    tests: by("incoming"),
  },
  {
    does: "makes a snapshot current before its log is there",
    file: `${storage}/generation/install.ts`,
    guard: "  const base = freshBase(last, { index: last.index, configuration });\n",
    instead:
      "  writeGenerationFile(options.dataDir, number);\n  const base = freshBase(last, { index: last.index, configuration });\n",
    tests: by("install-crash"),
  },
];
