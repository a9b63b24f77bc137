/** Elections, replication and reads. Source: Raft Fig. 2 and §5.4; Diss. §6.4, §9.6, §10.2.1. */
import type { Mutant } from "../mutant.ts";

const raft = "packages/raft/src";
const tests = "packages/raft/test";
/** That one first. */
const by = (file: string) => [`${tests}/${file}.test.ts`, `${tests}/*.test.ts`, `${tests}/paper/*.test.ts`];

export const consensusMutants: readonly Mutant[] = [
  {
    does: "votes before term and vote are on disk",
    file: `${raft}/outbox.ts`,
    guard: "  if (!durable.hardState) return false;\n",
    tests: by("paper/elections"),
  },
  {
    does: "acknowledges entries before they are on disk",
    file: `${raft}/outbox.ts`,
    guard: `message.kind !== "appendAccepted" || message.match <= durable.index`,
    instead: `message.kind !== "appendAccepted" || message.match >= 0`,
    tests: by("paper/elections"),
  },
  {
    does: "counts its own vote when an earlier one is on disk",
    file: `${raft}/node.ts`,
    guard: `role.kind === "candidate" && this.#persistence.holds(raft)`,
    instead: `role.kind === "candidate"`,
    tests: by("paper/elections"),
  },
  {
    does: "forgets to write a vote down when the term is the same",
    file: `${raft}/persistence.ts`,
    guard: " && current.votedFor === this.#durable.votedFor",
    tests: by("paper/elections"),
  },
  {
    does: "takes the disk's answer about entries that were replaced meanwhile for one about the new ones",
    file: `${raft}/unstable.ts`,
    guard: "    if (this.at(last.index)?.term !== last.term) return;\n",
    tests: by("log"),
  },
  {
    does: "sends entries that are not on its disk behind a gap that the limit of bytes has left",
    file: `${raft}/log.ts`,
    guard: " || indexAfter(from, stored.length) < storedTo",
    tests: by("log"),
  },
  {
    does: "counts the leader's own entries before they are on its disk",
    file: `${raft}/leader.ts`,
    guard: "role.tracker.storedOurselves(raft.log.stableIndex)",
    instead: "role.tracker.storedOurselves(raft.log.lastIndex)",
    tests: by("scripts"),
  },
  {
    does: "commits entries of an earlier term by counting",
    file: `${raft}/leader.ts`,
    guard: " || raft.log.termAt(index) !== raft.term",
    tests: by("paper/safety"),
  },
  {
    does: "votes for a log that is behind",
    file: `${raft}/vote.ts`,
    guard: "isUpToDate(theirs, voter.lastEntry) ?",
    instead: "isUpToDate(theirs, voter.lastEntry) || theirs.index >= 0 ?",
    tests: by("decisions"),
  },
  {
    does: "compares the lengths of logs only",
    file: `${raft}/vote.ts`,
    guard: "  if (theirs.term !== ours.term) return theirs.term > ours.term;\n",
    tests: by("decisions"),
  },
  {
    does: "votes twice in a term",
    file: `${raft}/vote.ts`,
    guard: `  if (voter.votedFor !== undefined && voter.votedFor !== request.from) {
    return { kind: "refuse", because: "votedForOther" };
  }
`,
    tests: by("decisions"),
  },
  {
    does: "grants pre-votes while it hears a leader",
    file: `${raft}/vote.ts`,
    guard: `  if (voter.hearsLeader) return { kind: "refuse", because: "leaderAlive" };\n`,
    tests: by("decisions"),
  },
  {
    does: "lets a candidate unseat a leader that is heard",
    file: `${raft}/step.ts`,
    guard: "if (isDisturbing && hearsLeader(raft))",
    instead: "if (isDisturbing && raft.term < 0 && hearsLeader(raft))",
    tests: by("paper/leadership"),
  },
  {
    does: "counts the votes of an earlier campaign",
    file: `${raft}/step.ts`,
    guard: " && message.term === raft.term + 1",
    tests: by("strangers"),
  },
  {
    does: "goes on leading without hearing a majority",
    file: `${raft}/leader.ts`,
    guard: "  if (!role.tracker.quorumHeard(since)) {",
    instead: "  if (since > 1_000_000 && !role.tracker.quorumHeard(since)) {",
    tests: by("paper/leadership"),
  },
  {
    does: "appends after an entry of another term",
    file: `${raft}/append.ts`,
    guard: "log.termAt(request.prev.index) !== request.prev.term",
    instead: "log.termAt(request.prev.index) === undefined",
    tests: by("decisions"),
  },
  {
    does: "truncates its log without comparing terms",
    file: `${raft}/append.ts`,
    guard: "log.termAt(entry.index) !== entry.term;",
    instead: "log.termAt(entry.index) !== entry.term || entry.index > 0;",
    tests: by("decisions"),
  },
  {
    does: "commits what it holds beyond what the leader compared",
    file: `${raft}/follower.ts`,
    guard: "minIndex(request.commit, lastNew)",
    instead: "minIndex(request.commit, log.lastIndex)",
    tests: by("paper/replication"),
  },
  {
    does: "acknowledges more than the leader compared",
    file: `${raft}/follower.ts`,
    guard: "acceptAppend(raft, request, lastNew)",
    instead: "acceptAppend(raft, request, log.lastIndex)",
    tests: by("paper/replication"),
  },
  {
    does: "tells a follower to commit more than it is known to hold",
    file: `${raft}/replication.ts`,
    guard: "minIndex(progress.match, raft.log.committed)",
    instead: "raft.log.committed",
    tests: by("node"),
  },
  {
    does: "lets a late acknowledgement lower what a follower is known to hold",
    file: `${raft}/tracker/progress.ts`,
    guard: "    if (match < this.#match) return false;\n",
    tests: by("progress"),
  },
  {
    does: "takes proposals while leadership is handed over",
    file: `${raft}/leader.ts`,
    guard: `  if (role.transfer !== undefined) return { kind: "dropped", because: "transferring" };\n`,
    tests: by("paper/leadership"),
  },
  {
    does: "confirms reads before the first commit of its term",
    file: `${raft}/leader.ts`,
    guard: "if (raft.log.committed >= role.firstOfTerm) role.reads",
    instead: "if (raft.log.committed >= 0) role.reads",
    tests: by("paper/reads"),
  },
  {
    does: "confirms reads without hearing a majority",
    file: `${raft}/read-index.ts`,
    guard: "voter === this.#options.self ? this.#newest : (this.#answered.get(voter) ?? 0)",
    instead:
      "voter === this.#options.self ? this.#newest : Math.max(this.#newest, this.#answered.get(voter) ?? 0)",
    tests: by("node"),
  },
  {
    does: "lets an answer confirm reads that no heartbeat has named",
    file: `${raft}/read-index.ts`,
    guard: "    if (number > this.#announced) return;\n",
    tests: by("paper/reads"),
  },
  {
    does: "answers a read twice whose request the network delivered twice",
    file: `${raft}/read-index.ts`,
    guard: "!this.#waiting.some((read) => read.context === context)",
    instead: "true",
    tests: by("paper/reads"),
  },
  {
    does: "answers a read twice that came twice before the first commit of the term",
    file: `${raft}/read-index.ts`,
    guard: "!this.#early.some((read) => read.context === context)",
    instead: "true",
    tests: by("paper/reads"),
  },
  {
    does: "takes a snapshot of what it has committed already",
    file: `${raft}/follower.ts`,
    guard: "last.index <= log.committed || ",
    tests: by("paper/snapshots"),
  },
  {
    does: "takes a snapshot of an earlier term's leader",
    file: `${raft}/step.ts`,
    guard: "term < raft.term || last.term > term",
    instead: "last.term > term",
    tests: by("paper/snapshots"),
  },
];
