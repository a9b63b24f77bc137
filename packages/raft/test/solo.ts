/** One node, driven by hand: the test plays the disk and all other members. */
import assert from "node:assert/strict";
import type { RaftConfig } from "../src/config.ts";
import type { MemberChange } from "../src/configuration/change.ts";
import { type Configuration, initialConfiguration, membersOf } from "../src/configuration/configuration.ts";
import { checkState, checkStep, type Observation } from "../src/invariants.ts";
import type { Message } from "../src/messages.ts";
import { RaftNode, type ReceivedSnapshot } from "../src/node.ts";
import type { PersistBatch, Ready } from "../src/ready.ts";
import type { TraceEvent } from "../src/trace.ts";
import {
  type Entry,
  type EntryId,
  type HardState,
  logIndex,
  type NodeId,
  nodeId,
  readContext,
  type ReadContext,
  term,
} from "../src/types.ts";
import { MemoryLog } from "./memory-log.ts";

export const n = (id: number): NodeId => nodeId(BigInt(id));
export const context = (value: number): ReadContext => readContext(BigInt(value));
export const at = (index: number, ofTerm: number): EntryId => ({
  index: logIndex(index),
  term: term(ofTerm),
});
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export function entry(index: number, ofTerm: number, data = `${String(index)}`): Entry {
  return { ...at(index, ofTerm), kind: "command", data: bytes(data) };
}

/** Entries with the terms given, the first at index `first`. */
export function entries(terms: readonly number[], first = 1): readonly Entry[] {
  return terms.map((ofTerm, position) => entry(first + position, ofTerm));
}

/** Who takes part, by number. */
export function members(
  voters: readonly number[],
  others: { readonly outgoing?: readonly number[]; readonly learners?: readonly number[] } = {},
): Configuration {
  const { outgoing = [], learners = [] } = others;
  return {
    ...initialConfiguration(voters.map(n)),
    outgoing: outgoing.map(n),
    learners: learners.map(n),
  };
}

export interface SoloOptions {
  readonly voters?: readonly number[];
  /** In place of voters alone. */
  readonly configuration?: Configuration;
  /** The log begins after this entry; `log` follows it. */
  readonly base?: EntryId;
  /** Terms of the entries on disk. */
  readonly log?: readonly number[];
  readonly term?: number;
  readonly votedFor?: number;
  readonly commit?: number;
  readonly applied?: number;
  readonly config?: Partial<RaftConfig>;
}

/** `+4` adds a voter or makes one of a learner, `~4` adds a learner, `-4` removes. */
export function memberChange(text: string): MemberChange {
  const kinds = { "+": "addVoter", "~": "addLearner", "-": "remove" } as const;
  const [, sign, id] = /^([+~-])(\d+)$/.exec(text) ?? [];
  assert.ok(sign === "+" || sign === "~" || sign === "-", `a change is written +4, ~4 or -4, not ${text}`);
  return { kind: kinds[sign], id: n(Number(id)) };
}

/** What the node gave out in one or more turns, all of it honoured. */
export interface Work {
  readonly messages: readonly Message[];
  readonly committed: readonly Entry[];
  readonly readStates: Ready["readStates"];
  readonly droppedReads: Ready["droppedReads"];
  readonly snapshotsTo: Ready["snapshotsTo"];
}

export const electionTicks = 10;

/** Node 1 of a cluster. Its election timeout is always `electionTicks`, unless `random` is given. */
export class Solo {
  readonly node: RaftNode;
  readonly disk: MemoryLog;
  readonly trace: TraceEvent[] = [];
  /** As the disk has it. */
  hardState: HardState;
  readonly #electors: readonly NodeId[];
  #seen: Observation;

  constructor(options: SoloOptions = {}) {
    const log = options.log ?? [];
    const configuration = options.configuration ?? members(options.voters ?? [1, 2, 3]);
    const base = options.base ?? at(0, 0);
    this.#electors = [...membersOf({ ...configuration, learners: [] })].filter((voter) => voter !== n(1));
    this.disk = new MemoryLog(entries(log, base.index + 1), base);
    this.hardState = {
      term: term(options.term ?? log.at(-1) ?? base.term),
      votedFor: options.votedFor === undefined ? undefined : n(options.votedFor),
      commit: logIndex(options.commit ?? base.index),
    };
    const config: RaftConfig = {
      id: n(1),
      electionTicks,
      heartbeatTicks: 1,
      maxInflightMessages: 16,
      maxInflightBytes: 1 << 20,
      maxAppendBytes: 1 << 16,
      maxUncommittedBytes: 1 << 20,
      maxCommittedBytes: 1 << 20,
      random: () => 0,
      trace: (event) => this.trace.push(event),
      ...options.config,
    };
    this.node = new RaftNode(config, {
      log: this.disk,
      hardState: this.hardState,
      applied: logIndex(options.applied ?? base.index),
      configurations: [{ index: base.index, configuration }],
    });
    this.#seen = checkState(this.node);
  }

  get status(): ReturnType<RaftNode["status"]> {
    return this.node.status();
  }

  /** Steps one message that arrives at node 1, and checks every invariant. */
  step(message: Message): this {
    this.node.step(message);
    this.#check();
    return this;
  }

  tick(times = 1): this {
    for (let tick = 0; tick < times; tick += 1) {
      this.node.tick();
      this.#check();
    }
    return this;
  }

  propose(...data: readonly string[]): ReturnType<RaftNode["propose"]> {
    const result = this.node.propose(data.map(bytes));
    this.#check();
    return result;
  }

  /** Asks for a change of members: `+4` a voter, `~4` a learner, `-4` nobody. */
  reconfigure(...changes: readonly string[]): ReturnType<RaftNode["reconfigure"]> {
    const result = this.node.reconfigure(changes.map(memberChange), new Uint8Array(0));
    this.#check();
    return result;
  }

  /** A snapshot has arrived. Returns whether it is taken. */
  receive(snapshot: ReceivedSnapshot): boolean {
    const isTaken = this.node.snapshotReceived(snapshot);
    this.#check();
    return isTaken;
  }

  /** Takes work, without the disk doing anything. */
  ready(): Ready {
    const ready = this.node.ready();
    this.#check();
    return ready;
  }

  /** The disk finishes a batch. Returns what may leave now. */
  persist(batch: PersistBatch | undefined): readonly Message[] {
    assert.ok(batch !== undefined, "there is a batch to write");
    if (batch.snapshot !== undefined) this.disk.restart(batch.snapshot.last);
    this.disk.write(batch.entries);
    if (batch.hardState !== undefined) this.hardState = batch.hardState;
    this.node.persisted(batch.id);
    this.#check();
    return batch.thenSend;
  }

  /** Takes work until there is none, with a disk that answers at once. */
  run(): Work {
    const work = {
      messages: [] as Message[],
      committed: [] as Entry[],
      readStates: [] as Ready["readStates"][number][],
      droppedReads: [] as ReadContext[],
      snapshotsTo: [] as NodeId[],
    };
    while (this.node.hasReady()) {
      const ready = this.ready();
      work.messages.push(...ready.messages);
      work.committed.push(...ready.committed);
      work.readStates.push(...ready.readStates);
      work.droppedReads.push(...ready.droppedReads);
      work.snapshotsTo.push(...ready.snapshotsTo);
      if (ready.persist !== undefined) work.messages.push(...this.persist(ready.persist));
    }
    return work;
  }

  /** Runs and returns only the messages. */
  messages(): readonly Message[] {
    return this.run().messages;
  }

  /** Wins an election with the votes of all others and discards what was said, up to the first append. */
  elect(): this {
    this.tick(electionTicks);
    this.run();
    const { term: current } = this.status;
    for (const from of this.#electors) {
      this.step({ kind: "preVoteResponse", from, to: n(1), term: term(current + 1), granted: true });
    }
    this.run();
    for (const from of this.#electors) {
      this.step({ kind: "voteResponse", from, to: n(1), term: term(current + 1), granted: true });
    }
    assert.equal(this.status.role, "leader");
    return this;
  }

  /** Elected, and every follower acknowledges the whole log. */
  elected(): this {
    this.elect().run();
    for (const from of this.#electors) this.acknowledge(from);
    this.run();
    return this;
  }

  /** A follower stores everything up to `match`, by default the whole log. */
  acknowledge(from: NodeId, match: number = this.status.lastIndex): this {
    return this.step({
      kind: "appendAccepted",
      from,
      to: n(1),
      term: this.status.term,
      match: logIndex(match),
    });
  }

  #check(): void {
    this.#seen = checkStep(this.#seen, this.node);
  }
}
