/**
 * What must be true of the whole cluster after every event. The checks see what no node can see: all
 * disks, all messages, and everything that was ever true. Source: Raft Fig. 3.
 */
import { assert } from "../../src/assert.ts";
import { formatEntryId, formatMessage, formatSpeaker } from "../../src/format.ts";
import type { Message } from "../../src/messages.ts";
import type { RaftNode } from "../../src/node.ts";
import { majoritySize } from "../../src/quorum/majority.ts";
import {
  type Entry,
  type EntryId,
  indexAfter,
  type LogIndex,
  logIndex,
  type NodeId,
  type ReadContext,
  type Term,
} from "../../src/types.ts";
import type { Disk } from "./disk.ts";

interface Committed extends EntryId {
  /** Term of the node that was first to say so; the entry was committed in this term or before. */
  readonly in: Term;
}

interface Read {
  readonly at: NodeId;
  /** What was committed anywhere when the read was asked for. */
  readonly floor: LogIndex;
}

export class ClusterChecks {
  readonly #disks: ReadonlyMap<NodeId, Disk>;
  readonly #leaders = new Map<Term, NodeId>();
  readonly #votes = new Map<string, NodeId>();
  /** By name of the entry, the term of the one before it. */
  readonly #termBefore = new Map<string, Term>();
  readonly #data = new Map<string, string>();
  /** The entry at index i is at position i - 1. */
  readonly #committed: Committed[] = [];
  readonly #reads = new Map<ReadContext, Read>();

  /** `disks` holds the disk of every voter, also of those that are down. */
  constructor(disks: ReadonlyMap<NodeId, Disk>) {
    this.#disks = disks;
  }

  /** How far anything is committed anywhere. */
  get committed(): LogIndex {
    return logIndex(this.#committed.length);
  }

  /** Reads that were neither answered nor dropped. */
  get openReads(): number {
    return this.#reads.size;
  }

  /** A node has done something. */
  acted(node: RaftNode): void {
    const { id, role, term, commit } = node.status();
    this.#checkLog(node);
    if (role === "leader" && commit > this.committed) {
      assert(node.termAt(commit) === term, "a leader commits up to an entry of its own term (§5.4.2)");
    }
    for (let index = indexAfter(this.committed); index <= commit; index = indexAfter(index)) {
      this.#commit(node, index);
    }
    this.#checkCommitted(node, commit);
    if (role === "leader" && this.#leaders.get(term) !== id) this.#elect(node, term);
  }

  /** A message leaves a node whose disk is `disk`. Source: Raft Fig. 2, persistent state. */
  sent(message: Message, { hardState, log }: Disk): void {
    const { from, to, term } = message;
    if (message.kind === "preVoteRequest") return;
    if (message.kind === "preVoteResponse" && message.granted) return;
    const said = formatMessage(message);
    assert(term <= hardState.term, `what is said in a term is said once the term is on disk: ${said}`);
    const isCurrent = term === hardState.term;
    if (message.kind === "voteResponse" && message.granted) {
      const voter = formatSpeaker(from, term);
      assert((this.#votes.get(voter) ?? to) === to, `within a term the vote is given once, by ${voter}`);
      this.#votes.set(voter, to);
      assert(!isCurrent || hardState.votedFor === to, `a vote is on disk before it is given: ${said}`);
    }
    if (message.kind === "voteRequest") {
      assert(!isCurrent || hardState.votedFor === from, `a candidate's own vote is on disk: ${said}`);
    }
    if (message.kind === "appendEntries") for (const entry of message.entries) this.saw(entry);
    if (message.kind === "appendAccepted") {
      assert(!isCurrent || message.match <= log.lastIndex, `what is acknowledged is on disk: ${said}`);
    }
  }

  /**
   * An entry reaches the network, a disk or a state machine: wherever it does, it is the same. Source: Raft
   * §5.3.
   */
  saw(entry: Entry): void {
    const name = formatEntryId(entry);
    const data = `${entry.kind} ${new TextDecoder().decode(entry.data)}`;
    const known = this.#data.get(name);
    assert(known === undefined || known === data, `entry ${name} is the same everywhere`);
    this.#data.set(name, data);
  }

  /** A state machine applies an entry. Source: Raft Fig. 3, State Machine Safety. */
  applied(entry: Entry): void {
    this.saw(entry);
    const committed = this.#committed[entry.index - 1];
    assert(committed?.term === entry.term, `what is applied is committed: ${formatEntryId(entry)}`);
  }

  readAsked(context: ReadContext, at: NodeId): void {
    assert(!this.#reads.has(context), "a read context is never used again");
    this.#reads.set(context, { at, floor: this.committed });
  }

  /** A node may serve a read at `index`: it must see all that was committed when it was asked for. */
  readAnswered(context: ReadContext, index: LogIndex): void {
    const read = this.#reads.get(context);
    assert(read !== undefined, `read ${String(context)} is answered or dropped, once`);
    assert(index >= read.floor, `read ${String(context)} sees everything committed before it`);
    this.#reads.delete(context);
  }

  readDropped(context: ReadContext): void {
    assert(this.#reads.delete(context), `read ${String(context)} is answered or dropped, once`);
  }

  /** A node is gone, and with it those who waited for their reads there. */
  crashed(id: NodeId): void {
    for (const [context, { at }] of this.#reads) if (at === id) this.#reads.delete(context);
  }

  /** Every committed entry is on the disks of a majority, now and always. Source: Raft §5.3, §5.4. */
  checkDurability(): void {
    for (const entry of this.#committed) this.#checkDurable(entry);
  }

  /** Log Matching: an entry's name decides the entry before it, so by induction everything before. */
  #checkLog(node: RaftNode): void {
    const { lastIndex, commit } = node.status();
    let before = node.termAt(commit);
    for (let index = indexAfter(commit); index <= lastIndex; index = indexAfter(index)) {
      const term = node.termAt(index);
      assert(term !== undefined && before !== undefined, "every index of the log has a term");
      const name = formatEntryId({ term, index });
      const known = this.#termBefore.get(name) ?? before;
      assert(known === before, `logs that share ${name} are equal before it`);
      this.#termBefore.set(name, before);
      before = term;
    }
  }

  #commit(node: RaftNode, index: LogIndex): void {
    const term = node.termAt(index);
    assert(term !== undefined, "what is committed is in the log");
    const entry = { term, index, in: node.status().term };
    this.#checkDurable(entry);
    this.#committed.push(entry);
  }

  #checkDurable(entry: EntryId): void {
    const holders = [...this.#disks.values()].filter(({ log }) => log.termAt(entry.index) === entry.term);
    const needed = majoritySize([...this.#disks.keys()]);
    assert(holders.length >= needed, `committed ${formatEntryId(entry)} is on the disks of a majority`);
  }

  #checkCommitted(node: RaftNode, commit: LogIndex): void {
    if (commit === 0) return;
    const term = node.termAt(commit);
    const committed = this.#committed[commit - 1];
    assert(committed?.term === term, `nodes commit the same entry at ${String(commit)}`);
  }

  /** Election Safety and Leader Completeness. */
  #elect(node: RaftNode, term: Term): void {
    const { id } = node.status();
    assert(!this.#leaders.has(term), `term ${String(term)} has one leader`);
    this.#leaders.set(term, id);
    for (const entry of this.#committed) {
      if (entry.in >= term) continue;
      const isThere = node.termAt(entry.index) === entry.term;
      assert(isThere, `leader ${formatSpeaker(id, term)} has committed entry ${formatEntryId(entry)}`);
    }
  }

  /** A node begins with a history of its own: what it has committed is committed. */
  adopted(entries: readonly Entry[], commit: LogIndex, term: Term): void {
    for (const entry of entries) this.saw(entry);
    for (const entry of entries.slice(this.#committed.length, commit)) {
      this.#committed.push({ term: entry.term, index: entry.index, in: term });
    }
  }
}
