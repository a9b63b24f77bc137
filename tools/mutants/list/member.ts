/** How a member drives the core, and what it answers to whom. */
import type { Mutant } from "../mutant.ts";

const consensus = "packages/server/src/consensus";
const tests = ["packages/server/test/consensus/*.test.ts", "packages/server/test/consensus/*/*.test.ts"];

export const memberMutants: readonly Mutant[] = [
  {
    does: "says that a batch is stored before it is",
    file: `${consensus}/driver.ts`,
    guard: "this.#guard.runAfter(stored, () => {",
    instead: "this.#guard.runAfter(Promise.race([stored, Promise.resolve()]), () => {",
    tests,
  },
  {
    does: "goes on after a write that failed",
    file: `${consensus}/guard.ts`,
    guard: "    this.#hasFailed = true;\n    this.#onFailure(error);\n",
    instead: "    this.#hasFailed = error === undefined;\n",
    tests,
  },
  {
    does: "reads before it has applied what the read must see",
    file: `${consensus}/reads.ts`,
    guard: "if (state.index <= appliedIndex) this.#release",
    instead: "if (state.index >= 0 || state.index <= appliedIndex) this.#release",
    tests,
  },
  {
    does: "lets a confirmation of an earlier round release later readers",
    file: `${consensus}/reads.ts`,
    guard: "    if (round?.context !== state.context) return;\n",
    instead: "    if (round === undefined) return;\n",
    tests,
  },
  {
    does: "proposes a forwarded command in another term than it was meant for",
    file: `${consensus}/proposing.ts`,
    guard: "const isMeantForUs = this.#deps.node.status().term === forward.term;",
    instead: "const isMeantForUs = this.#deps.node.status().term >= forward.term;",
    tests,
  },
  {
    does: "takes a refusal meant for an earlier run of the process for its own",
    file: `${consensus}/proposing.ts`,
    guard: "      if (refusal.proposer === proposer) proposals.refused(refusal);\n",
    instead: "      if (refusal.proposer !== 0n || proposer !== 0n) proposals.refused(refusal);\n",
    tests,
  },
  {
    does: "takes another process's command for its own",
    file: `${consensus}/driver.ts`,
    guard: "        if (id.proposer === proposer) proposals.applied(id.sequence, result);\n",
    instead: "        if (proposer !== 0n) proposals.applied(id.sequence, result);\n",
    tests,
  },
  {
    does: "applies the log from its beginning after a restart",
    file: "packages/store/src/store.ts",
    guard: `    assert(index === appliedIndex + 1, "entries are applied in order, each once");\n`,
    tests: ["packages/store/test/*.test.ts"],
  },
  {
    does: "keeps values in the cache when another state was installed",
    file: "packages/store/src/store.ts",
    guard:
      "    this.#cache = new VersionCache(this.#options.cacheBytes);\n    this.#overlay = new Overlay();\n",
    instead: "    this.#overlay = new Overlay();\n",
    tests: ["packages/store/test/*.test.ts"],
  },
  {
    does: "keeps what was not durable when another state was installed",
    file: "packages/store/src/store.ts",
    guard: "    this.#overlay = new Overlay();\n    this.#position",
    instead: "    this.#position",
    tests: ["packages/store/test/*.test.ts"],
  },
];
