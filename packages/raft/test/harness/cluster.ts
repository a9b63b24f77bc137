import { assert } from "../../src/assert.ts";
import type { RaftConfig } from "../../src/config.ts";
import {
  formatEntries,
  formatEntryId,
  formatHardState,
  formatMessage,
  formatNode,
  formatSpeaker,
  formatTrace,
} from "../../src/format.ts";
import type { ProposeResult } from "../../src/leader.ts";
import type { TransferResult } from "../../src/leadership-transfer.ts";
import type { Message } from "../../src/messages.ts";
import type { NodeStatus, RaftNode, ReadIndexResult } from "../../src/node.ts";
import type { PersistBatch, Ready } from "../../src/ready.ts";
import type { TraceEvent } from "../../src/trace.ts";
import { type Entry, type EntryId, logIndex, type NodeId, type ReadContext } from "../../src/types.ts";
import { ClusterChecks } from "./cluster-checks.ts";
import { Disk, emptyStore, type Stored } from "./disk.ts";
import { type DiskSpeed, Member } from "./member.ts";
import { type Fate, Network } from "./network.ts";

export type Limits = Omit<RaftConfig, "id" | "configuration" | "random" | "trace">;

export interface ClusterOptions {
  readonly ids: readonly NodeId[];
  readonly limits: Limits;
  readonly stored?: Stored;
  /** As {@link RaftConfig.random}, for each node. */
  readonly random: (id: NodeId, bound: number) => number;
  /** Hears each line of the story. */
  readonly tell: (line: string) => void;
  readonly hear?: (event: TraceEvent | Message) => void;
}

const arrows: Readonly<Record<Fate, string>> = { travels: "→", held: "⇢", lost: "↛" };

/** The longest conversation that a healthy cluster needs to come to rest. */
const maxDeliveries = 10_000;

/**
 * Several nodes in one thread, with disks and a network that do what a script says. Work that a node
 * gives out is honoured at once, in the order that {@link Ready} demands; messages wait in the network
 * until somebody delivers them. Every invariant is checked after every event.
 */
export class Cluster {
  readonly network = new Network();
  readonly checks: ClusterChecks;
  readonly #options: ClusterOptions;
  readonly #disks = new Map<NodeId, Disk>();
  readonly #members = new Map<NodeId, Member>();

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.checks = new ClusterChecks(this.#disks);
    for (const id of options.ids) this.adopt(id, options.stored ?? emptyStore);
  }

  get ids(): readonly NodeId[] {
    return this.#options.ids;
  }

  /** Undefined while the node is down. */
  member(id: NodeId): Member | undefined {
    return this.#members.get(id);
  }

  /** How a node sees itself, which must run. */
  status(id: NodeId): NodeStatus {
    return this.#running(id).node.status();
  }

  /** The whole log of a node that runs, stored or not. */
  log(id: NodeId): readonly EntryId[] {
    const { node } = this.#running(id);
    const { lastIndex } = node.status();
    return Array.from({ length: lastIndex }, (_, position) => {
      const index = logIndex(position + 1);
      const term = node.termAt(index);
      assert(term !== undefined, "every index of the log has a term");
      return { index, term };
    });
  }

  disk(id: NodeId): Disk {
    const disk = this.#disks.get(id);
    assert(disk !== undefined, `node ${formatNode(id)} is in the cluster`);
    return disk;
  }

  /** The node starts anew on a disk with the history given. */
  adopt(id: NodeId, stored: Stored): void {
    this.#disks.set(id, new Disk(stored));
    this.#members.delete(id);
    this.checks.adopted(stored.log, stored.hardState.commit, stored.hardState.term);
    this.restart(id);
  }

  restart(id: NodeId): void {
    assert(!this.#members.has(id), `node ${formatNode(id)} is down`);
    const random = (bound: number): number => this.#options.random(id, bound);
    const config = { ...this.#options.limits, id, configuration: { voters: this.ids }, random };
    const member = new Member(config, this.disk(id), "fast");
    this.#members.set(id, member);
    this.#act(member, () => undefined);
  }

  /** The process dies. A write that had begun is lost, or there although nobody was told. */
  crash(id: NodeId, writeSurvives: "lost" | "kept"): void {
    this.#members.delete(id);
    this.disk(id).crash(writeSurvives);
    this.checks.crashed(id);
  }

  tick(id: NodeId): void {
    this.#act(this.#running(id), (node) => {
      node.tick();
    });
  }

  campaign(id: NodeId): void {
    this.#act(this.#running(id), (node) => {
      node.campaign();
    });
  }

  propose(id: NodeId, data: readonly string[], onBehalfOf?: NodeId): ProposeResult {
    const bytes = data.map((text) => new TextEncoder().encode(text));
    return this.#act(this.#running(id), (node) => node.propose(bytes, onBehalfOf));
  }

  readIndex(id: NodeId, context: ReadContext): ReadIndexResult {
    this.checks.readAsked(context, id);
    return this.#act(this.#running(id), (node) => {
      const result = node.readIndex(context);
      if (result.kind === "dropped") this.checks.readDropped(context);
      return result;
    });
  }

  transferLeadership(id: NodeId, to: NodeId): TransferResult {
    return this.#act(this.#running(id), (node) => node.transferLeadership(to));
  }

  setSpeed(id: NodeId, speed: DiskSpeed): void {
    this.#running(id).speed = speed;
  }

  /** The write that had begun has ended: its messages may leave. */
  persist(id: NodeId): void {
    this.#endWrite(this.#running(id));
  }

  /** The driver makes durable what it has applied, without a batch of the core. */
  save(id: NodeId): void {
    const member = this.#running(id);
    member.disk.save(member.applied);
    this.#tell(member, `has saved applied=${String(member.applied)}`);
  }

  /** Delivers a message that was taken from the network. To a node that is down it is lost. */
  deliver(message: Message): void {
    const member = this.#members.get(message.to);
    this.#tellMessage(message, member === undefined ? "lost" : "travels");
    if (member === undefined) return;
    this.#act(member, (node) => {
      node.step(message);
    });
  }

  /** Delivers everything, and what follows from it, until nothing is on its way that is not held. */
  settle(): void {
    for (let count = 0; count < maxDeliveries; count += 1) {
      const message = this.network.takeNext();
      if (message === undefined) return;
      this.deliver(message);
    }
    assert(false, "a conversation comes to an end");
  }

  /** Every node that runs lives through one tick, and all that follows. */
  pass(): void {
    for (const id of this.ids) if (this.#members.has(id)) this.tick(id);
    this.settle();
  }

  #running(id: NodeId): Member {
    const member = this.#members.get(id);
    assert(member !== undefined, `node ${formatNode(id)} runs`);
    return member;
  }

  #act<Result>(member: Member, action: (node: RaftNode) => Result): Result {
    const result = action(member.node);
    this.#check(member);
    this.#honourAll(member);
    return result;
  }

  #check(member: Member): void {
    member.check();
    for (const event of member.takeTrace()) {
      this.#tell(member, formatTrace(event));
      this.#options.hear?.(event);
    }
    this.checks.acted(member.node);
  }

  #honourAll(member: Member): void {
    for (let turn = 0; member.node.hasReady(); turn += 1) {
      assert(turn < maxDeliveries, "a node runs out of work");
      this.#honour(member, member.node.ready());
    }
  }

  #honour(member: Member, ready: Ready): void {
    this.#check(member);
    this.#send(member, ready.messages);
    for (const entry of ready.committed) this.#apply(member, entry);
    if (ready.persist !== undefined) this.#beginWrite(member, ready.persist);
    for (const { context, index } of ready.readStates) {
      this.checks.readAnswered(context, index);
      member.readConfirmed(context, index);
    }
    for (const context of ready.droppedReads) this.checks.readDropped(context);
    for (const { context } of member.takeServable()) {
      this.#tell(member, `serves read ${String(context)} having applied ${String(member.applied)}`);
    }
  }

  #apply(member: Member, entry: Entry): void {
    this.checks.applied(entry);
    member.apply(entry);
    const text = entry.kind === "command" ? `"${new TextDecoder().decode(entry.data)}"` : entry.kind;
    this.#tell(member, `applies ${formatEntryId(entry)} ${text}`);
  }

  #beginWrite(member: Member, batch: PersistBatch): void {
    const { hardState, entries } = batch;
    member.disk.begin({ hardState, entries, applied: member.applied });
    member.batch = batch;
    if (member.speed === "slow") this.#tell(member, `begins to write ${describe(batch, member.disk)}`);
    else this.#endWrite(member);
  }

  #endWrite(member: Member): void {
    const { batch, disk } = member;
    if (batch === undefined) return;
    const text = describe(batch, disk);
    disk.end();
    this.#tell(member, `has written ${text}`);
    member.batch = undefined;
    for (const entry of batch.entries) this.checks.saw(entry);
    const before = formatEntries(this.log(member.seen.id));
    member.node.persisted(batch.id);
    assert(formatEntries(this.log(member.seen.id)) === before, "a write that ends does not change the log");
    this.#check(member);
    this.#send(member, batch.thenSend);
    this.#honourAll(member);
  }

  #send(member: Member, messages: readonly Message[]): void {
    for (const message of messages) {
      this.#options.hear?.(message);
      this.checks.sent(message, member.disk);
      this.#checkAcknowledged(message, member.disk);
      const fate = this.network.send(message);
      if (fate !== "travels") this.#tellMessage(message, fate);
    }
  }

  /** Who acknowledges has on disk what the leader has, as long as that one leads. */
  #checkAcknowledged(message: Message, { log }: Disk): void {
    const leader = this.#members.get(message.to);
    if (message.kind !== "appendAccepted" || leader?.term !== message.term) return;
    if (leader.seen.role !== "leader") return;
    const ours = log.termAt(message.match);
    const isEqual = ours === leader.node.termAt(message.match);
    assert(isEqual, `what is acknowledged is on disk as the leader has it: ${formatMessage(message)}`);
  }

  #tell(member: Member, text: string): void {
    const { id, term } = member.seen;
    this.#options.tell(`${formatSpeaker(id, term)}      ${text}`);
  }

  #tellMessage(message: Message, fate: Fate): void {
    this.#options.tell(formatMessage(message, arrows[fate]));
  }
}

/** What a batch changes on a disk. */
function describe({ hardState, entries }: PersistBatch, disk: Disk): string {
  const before = disk.hardState;
  const isNews =
    hardState !== undefined && (hardState.term !== before.term || hardState.votedFor !== before.votedFor);
  const parts = [
    ...(isNews ? [formatHardState(hardState)] : []),
    ...(entries.length > 0 ? [`entries=${formatEntries(entries)}`] : []),
  ];
  return parts.length === 0 ? "commit only" : parts.join(" ");
}
