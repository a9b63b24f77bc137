/** What is on disk, and in which order it came there. */
import type { Mutant } from "../mutant.ts";

const storage = "packages/server/src/storage";
const tests = ["packages/server/test/storage/*.test.ts"];

export const storageMutants: readonly Mutant[] = [
  {
    does: "acknowledges a batch without a sync",
    file: `${storage}/log/disk-sync.ts`,
    guard: "    else await fdatasyncElsewhere(descriptor);\n",
    tests,
  },
  {
    does: "believes a record whose checksum is wrong",
    file: `${storage}/log/record.ts`,
    guard: "  if (crc32(body, header.check) !== checksum) return undefined;\n",
    tests,
  },
  {
    does: "drops entries from the log that the durable state lacks",
    file: `${storage}/member-storage.ts`,
    guard: "Math.min(upTo, savedState.appliedIndex)",
    instead: "Math.max(upTo, savedState.appliedIndex)",
    tests,
  },
  {
    does: "deletes the log's files before the state says where the log begins",
    file: `${storage}/member-storage.ts`,
    guard: "      await savedState.saveBase(base, log);\n      await log.dropBefore(base);\n",
    instead: "      await log.dropBefore(base);\n      await savedState.saveBase(base, log);\n",
    tests,
  },
  {
    does: "writes on after a write that failed",
    file: `${storage}/member-storage.ts`,
    guard: `      if (this.#stopped === "open") this.#stopped = "failed";\n`,
    tests,
  },
  {
    does: "switches to a snapshot before its last chunk",
    file: `${storage}/snapshot/received-snapshot.ts`,
    guard: "    checkTrailer(trailer, this.#progress);\n    if (this.#phase",
    instead: "    if (this.#phase",
    tests,
  },
  {
    does: "switches to a snapshot without reading what LevelDB holds of it",
    file: `${storage}/snapshot/received-snapshot.ts`,
    guard: "        await this.#checkStored(trailer);\n",
    tests,
  },
  {
    does: "makes a snapshot current before its log is there",
    file: `${storage}/generation/install.ts`,
    guard: "  const base = freshBase(last, { index: last.index, configuration });\n",
    instead:
      "  writeGenerationFile(options.dataDir, number);\n  const base = freshBase(last, { index: last.index, configuration });\n",
    tests,
  },
];
