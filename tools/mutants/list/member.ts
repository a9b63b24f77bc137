/** How a member drives the core, and what it answers to whom. */
import type { Mutant } from "../mutant.ts";

const consensus = "packages/server/src/consensus";
const tests = "packages/server/test/consensus";
/** That one first. */
const by = (file: string) => [`${tests}/${file}.test.ts`, `${tests}/*.test.ts`, `${tests}/*/*.test.ts`];
const store = ["packages/store/test/store.test.ts", "packages/store/test/*.test.ts"];

export const memberMutants: readonly Mutant[] = [
  {
    does: "says that a batch is stored before it is",
    file: `${consensus}/driver.ts`,
    guard: "this.#guard.runAfter(stored, () => {",
    instead: "this.#guard.runAfter(Promise.race([stored, Promise.resolve()]), () => {",
    tests: by("forwarding"),
  },
  {
    does: "goes on after a write that failed",
    file: `${consensus}/guard.ts`,
    guard: "    this.#hasFailed = true;\n    this.#onFailure(error);\n",
    instead: "    this.#hasFailed = error === undefined;\n",
    tests: by("guard"),
  },
  {
    does: "reads before it has applied what the read must see",
    file: `${consensus}/reads.ts`,
    guard: "if (state.index <= appliedIndex) this.#release",
    instead: "if (state.index >= 0 || state.index <= appliedIndex) this.#release",
    tests: by("reads"),
  },
  {
    does: "lets a confirmation of an earlier round release later readers",
    file: `${consensus}/reads.ts`,
    guard: "    if (round?.context !== state.context) return;\n",
    instead: "    if (round === undefined) return;\n",
    tests: by("reads"),
  },
  {
    does: "proposes a forwarded command in another term than it was meant for",
    file: `${consensus}/proposing.ts`,
    guard: "const isMeantForUs = this.#deps.node.status().term === forward.term;",
    instead: "const isMeantForUs = this.#deps.node.status().term >= forward.term;",
    tests: by("forwarding"),
  },
  {
    does: "takes a refusal meant for an earlier run of the process for its own",
    file: `${consensus}/proposing.ts`,
    guard: "      if (refusal.proposer === proposer) proposals.refused(refusal);\n",
    instead: "      if (refusal.proposer !== 0n || proposer !== 0n) proposals.refused(refusal);\n",
    tests: by("forwarding"),
  },
  {
    does: "takes a refusal of an earlier term's leader for one of the present leader",
    file: `${consensus}/proposals.ts`,
    guard: " || pending.stage.term !== term",
    tests: by("proposals"),
  },
  {
    does: "gives a command up for lost when another entry of its term is applied",
    file: `${consensus}/proposals.ts`,
    guard: "pending.stage.term >= term) continue;",
    instead: "pending.stage.term > term) continue;",
    tests: by("proposals"),
  },
  {
    does: "waits for commands that may be part of a snapshot that it took over",
    file: `${consensus}/installer.ts`,
    guard: "    proposals.restored();\n",
    tests: by("snapshots"),
  },
  {
    does: "takes another process's command for its own",
    file: `${consensus}/applier.ts`,
    guard: "    if (isWanted) proposals.applied(applied.id.sequence, applied.result);\n",
    instead: "    proposals.applied(applied.id.sequence, applied.result);\n",
    tests: by("applier"),
  },
  {
    does: "hands more over while something waits for the disk",
    file: `${consensus}/driver.ts`,
    guard: '    return this.#applier.isWaiting ? "full" : this.#saver.stateMachine;\n',
    instead: "    return this.#saver.stateMachine;\n",
    tests: by("applier"),
  },
  {
    does: "applies what had waited for the disk when the state was replaced",
    file: `${consensus}/applier.ts`,
    guard: "        if (this.#preparing !== preparing) {\n",
    instead: "        if (this.#deps === undefined) {\n",
    tests: by("applier"),
  },
  {
    does: "applies the log from its beginning after a restart",
    file: "packages/store/src/state.ts",
    guard: `    assert(index === this.#appliedIndex + 1, "entries are applied in order, each once");\n`,
    tests: store,
  },
  {
    does: "keeps its cache, and what was not durable, when another state was installed",
    file: "packages/store/src/store.ts",
    guard:
      "    this.#state = new State(this.#scanner, this.#options);\n    this.#takenIndex = this.appliedIndex;\n  }\n\n  async",
    instead: "    this.#takenIndex = this.appliedIndex;\n  }\n\n  async",
    tests: store,
  },
];
