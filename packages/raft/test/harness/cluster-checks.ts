/**
 * What must be true of the whole cluster after every event. The checks see what no node can see: all
 * disks, all messages, and everything that was ever true. Source: Raft Fig. 3.
 */
import { isWellFormed } from "../../src/append.ts";
import { assert } from "../../src/assert.ts";
import type { Configuration, ConfigurationAt } from "../../src/configuration/configuration.ts";
import { ConfigurationHistory } from "../../src/configuration/history.ts";
import { formatConfiguration, formatEntryId, formatMessage, formatSpeaker } from "../../src/format.ts";
import type { Message } from "../../src/messages.ts";
import type { RaftNode } from "../../src/node.ts";
import { majoritySize } from "../../src/quorum/majority.ts";
import {
  type Entry,
  type EntryId,
  indexAfter,
  type LogIndex,
  logIndex,
  noEntry,
  type NodeId,
  type ReadContext,
  type Term,
} from "../../src/types.ts";
import type { Disk } from "./disk.ts";
import type { Member } from "./member.ts";
import { emptyState, type State, stateAfter } from "./state-machine.ts";

interface Committed extends EntryId {
  /** Term of the node that was first to say so; the entry was committed in this term or before. */
  readonly in: Term;
  /** By which it was decided. */
  readonly by: Configuration;
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
  /** The state machine once it has applied the entry at index i is at position i - 1. */
  readonly #states: State[] = [];
  readonly #initial: Configuration;
  /** Who takes part, by the entries that some state machine has applied. */
  readonly #configurations: ConfigurationHistory;
  readonly #reads = new Map<ReadContext, Read>();

  /** `disks` holds the disk of every node, also of those that are down or take no part. */
  constructor(disks: ReadonlyMap<NodeId, Disk>, initial: ConfigurationAt) {
    this.#disks = disks;
    this.#initial = initial.configuration;
    this.#configurations = new ConfigurationHistory(initial);
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
  acted({ node, configuration }: Pick<Member, "node" | "configuration">): void {
    const { id, role, term, commit } = node.status();
    this.#checkLog(node);
    if (role === "leader" && commit > this.committed) {
      assert(node.termAt(commit) === term, "a leader commits up to an entry of its own term (§5.4.2)");
    }
    for (let index = indexAfter(this.committed); index <= commit; index = indexAfter(index)) {
      this.#commit(node, index, configuration);
    }
    this.#checkCommitted(node, commit);
    if (role === "leader" && this.#leaders.get(term) !== id && this.#isVoteOnDisk(node))
      this.#elect(node, term);
  }

  /**
   * Who decides alone leads before its vote is on disk, and says nothing until then: a crash undoes it, and
   * another may lead that term.
   */
  #isVoteOnDisk(node: RaftNode): boolean {
    const { id, term, configuration } = node.status();
    const hardState = this.#disks.get(id)?.hardState;
    if (hardState?.term === term && hardState.votedFor === id) return true;
    const { voters, outgoing } = configuration.configuration;
    assert(voters.length === 1 && outgoing.length <= 1, "who asks for votes has its own on disk");
    return false;
  }

  /**
   * A message leaves a node whose disk is `disk`, for `receiver` if that runs. Source: Raft Fig. 2,
   * persistent state.
   */
  sent(message: Message, { hardState, log }: Disk, receiver: Member | undefined): void {
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
    if (message.kind === "appendEntries") {
      // Whoever receives it may have to count the entries from prev: messages need not name each index.
      assert(isWellFormed(message), `entries follow prev without a gap: ${said}`);
      for (const entry of message.entries) this.saw(entry);
    }
    if (message.kind === "appendAccepted") {
      assert(!isCurrent || message.match <= log.lastIndex, `what is acknowledged is on disk: ${said}`);
      if (receiver?.term === term && receiver.seen.role === "leader") {
        const ours = log.termAt(message.match) ?? this.#termBehind(log.firstIndex, message.match);
        const { first } = receiver.seen;
        const theirs = receiver.node.termAt(message.match) ?? this.#termBehind(first, message.match);
        assert(ours === theirs, `what is acknowledged is on disk as the leader has it: ${said}`);
      }
    }
  }

  /** Term of an entry that a log has dropped. */
  #termBehind(first: LogIndex, index: LogIndex): Term | undefined {
    return index < first ? this.termAt(index) : undefined;
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

  /**
   * A state machine has applied an entry, which led to `state`. Source: Raft Fig. 3, State Machine Safety.
   */
  applied(entry: Entry, state: State): void {
    this.saw(entry);
    assert(this.termAt(entry.index) === entry.term, `what is applied is committed: ${formatEntryId(entry)}`);
    if (entry.index === this.#states.length + 1) {
      this.#states.push(stateAfter(this.#states.at(-1) ?? emptyState, entry));
      this.#configurations.append([entry]);
    }
    this.#checkEqual(state);
  }

  /**
   * A disk has another beginning, or a node starts with it. Who was added by no entry yet knows of no
   * members.
   */
  beginsWith({ log, state, configurations }: Disk): void {
    this.#checkEqual(state);
    const { base } = log;
    assert(this.termAt(base.index) === base.term, `what a log follows is committed: ${formatEntryId(base)}`);
    const { configuration } = configurations.at(state.applied);
    const expected = formatConfiguration(this.#configurations.at(state.applied).configuration);
    const isEqual = formatConfiguration(configuration) === expected || configuration.voters.length === 0;
    assert(isEqual, `who takes part at ${String(state.applied)} is the same everywhere: ${expected}`);
  }

  /** Term of a committed entry; undefined if nothing is committed there. */
  termAt(index: LogIndex): Term | undefined {
    return index === 0 ? noEntry.term : this.#committed[index - 1]?.term;
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

  /**
   * Every committed entry is on the disks of those who decided it, now and always: as an entry, or in the
   * state of a snapshot. Source: Raft §5.3, §5.4, §7.
   */
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

  #commit(node: RaftNode, index: LogIndex, { configuration: by }: ConfigurationAt): void {
    const term = node.termAt(index);
    assert(term !== undefined, "what is committed is in the log");
    const entry = { term, index, in: node.status().term, by };
    this.#checkDurable(entry);
    this.#committed.push(entry);
  }

  #checkDurable({ by, ...entry }: Committed): void {
    for (const group of [by.voters, by.outgoing]) {
      const holders = group.filter((id) => this.#isOnDisk(id, entry));
      const isDurable = group.length === 0 || holders.length >= majoritySize(group);
      assert(isDurable, `committed ${formatEntryId(entry)} is on the disks of a majority`);
    }
  }

  #isOnDisk(id: NodeId, { index, term }: EntryId): boolean {
    const log = this.#disks.get(id)?.log;
    return log !== undefined && (index <= log.base.index || log.termAt(index) === term);
  }

  #checkEqual({ applied, digest }: State): void {
    const expected = applied === 0 ? emptyState : this.#states[applied - 1];
    assert(expected?.digest === digest, `state machines that have applied ${String(applied)} are equal`);
  }

  #checkCommitted(node: RaftNode, commit: LogIndex): void {
    if (commit === 0) return;
    const isEqual = this.termAt(commit) === node.termAt(commit);
    assert(isEqual, `nodes commit the same entry at ${String(commit)}`);
  }

  /** Election Safety and Leader Completeness. */
  #elect(node: RaftNode, term: Term): void {
    const { id } = node.status();
    assert(!this.#leaders.has(term), `term ${String(term)} has one leader`);
    this.#leaders.set(term, id);
    const { first } = node.observe();
    for (const entry of this.#committed) {
      if (entry.in >= term) continue;
      // What it has dropped it has applied: that this is right was checked when it did.
      const isThere = entry.index < first || node.termAt(entry.index) === entry.term;
      assert(isThere, `leader ${formatSpeaker(id, term)} has committed entry ${formatEntryId(entry)}`);
    }
  }

  /** A node begins with a history of its own: what it has committed is committed. */
  adopted(entries: readonly Entry[], commit: LogIndex, term: Term): void {
    for (const entry of entries) this.saw(entry);
    for (const entry of entries.slice(this.#committed.length, commit)) {
      this.#committed.push({ term: entry.term, index: entry.index, in: term, by: this.#initial });
    }
    for (const entry of entries.slice(this.#states.length, commit)) {
      this.#states.push(stateAfter(this.#states.at(-1) ?? emptyState, entry));
    }
  }
}
