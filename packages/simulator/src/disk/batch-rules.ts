/** What the production log refuses before it writes anything: batches that no sound member makes. */
import type { Entry, HardState, LogIndex, Term } from "@dkv/raft";
import { assert } from "@dkv/server/platform/assert";

/** The log that the batch is for. */
export interface LogSoFar {
  readonly hardState: HardState;
  readonly lastIndex: LogIndex;
  /** Applied in the durable state. */
  readonly settled: number;
  termAt(index: LogIndex): Term | undefined;
}

export function checkBatch(log: LogSoFar, hardState: HardState, entries: readonly Entry[]): void {
  const [first] = entries;
  const last = entries.at(-1);
  assert(hardState.term >= log.hardState.term, "the current term never decreases");
  assert(hardState.commit <= (last?.index ?? log.lastIndex), "the commit index is within the log");
  if (first === undefined || last === undefined) return;
  assert(last.term <= hardState.term, "no entry is of a later term than the current one");
  assert(first.index > log.settled, "what was applied is not replaced");
  let [index, term] = [first.index - 1, log.termAt((first.index - 1) as LogIndex)];
  assert(term !== undefined, "entries follow the log without a gap");
  for (const entry of entries) {
    assert(entry.index === index + 1, "entries follow each other without a gap");
    assert(entry.term >= term, "terms never decrease along the log");
    ({ index, term } = entry);
  }
}
