import { assert } from "../../src/assert.ts";
import type { RaftConfig } from "../../src/config.ts";
import type { MemberChange } from "../../src/configuration/change.ts";
import { type Configuration, membersOf, noMembers } from "../../src/configuration/configuration.ts";
import {
  formatEntries,
  formatEntryId,
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
import type { ReconfigurationResult } from "../../src/reconfiguration.ts";
import type { TraceEvent } from "../../src/trace.ts";
import { type Entry, type LogIndex, noEntry, type NodeId, type ReadContext } from "../../src/types.ts";
import { ClusterChecks } from "./cluster-checks.ts";
import { Disk, emptyStore, type Stored, type WriteFate } from "./disk.ts";
import { type DiskSpeed, Member } from "./member.ts";
import { type Fate, Network } from "./network.ts";
import { tellBatch, tellEntry } from "./telling.ts";
import { type Transfer, Transfers } from "./transfers.ts";

export type Limits = Omit<RaftConfig, "id" | "random" | "trace">;

export interface ClusterOptions {
  /** With which the cluster begins. */
  readonly configuration: Configuration;
  /** Nodes that take no part yet. */
  readonly outside?: readonly NodeId[];
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
  readonly transfers = new Transfers();
  readonly ids: readonly NodeId[];
  readonly checks: ClusterChecks;
  readonly #options: ClusterOptions;
  readonly #disks = new Map<NodeId, Disk>();
  readonly #members = new Map<NodeId, Member>();

  constructor(options: ClusterOptions) {
    const { configuration, outside = [], stored = emptyStore } = options;
    this.#options = options;
    this.ids = [...membersOf(configuration), ...outside];
    this.checks = new ClusterChecks(this.#disks, { index: noEntry.index, configuration });
    for (const id of this.ids) this.adopt(id, outside.includes(id) ? emptyStore : stored);
  }

  /** Undefined while the node is down. */
  member(id: NodeId): Member | undefined {
    return this.#members.get(id);
  }

  /** How a node sees itself, which must run. */
  status(id: NodeId): NodeStatus {
    return this.#running(id).node.status();
  }

  disk(id: NodeId): Disk {
    const disk = this.#disks.get(id);
    assert(disk !== undefined, `node ${formatNode(id)} is in the cluster`);
    return disk;
  }

  /** The node starts anew on a disk with the history given. */
  adopt(id: NodeId, stored: Stored): void {
    const { configuration, outside = [] } = this.#options;
    const first = outside.includes(id) ? noMembers : configuration;
    this.#disks.set(id, new Disk(stored, { index: noEntry.index, configuration: first }));
    this.#members.delete(id);
    this.checks.adopted(stored.log, stored.hardState.commit, stored.hardState.term);
    this.restart(id);
  }

  restart(id: NodeId): void {
    assert(!this.#members.has(id), `node ${formatNode(id)} is down`);
    const random = (bound: number): number => this.#options.random(id, bound);
    const member = new Member({ ...this.#options.limits, id, random }, this.disk(id));
    this.#members.set(id, member);
    this.#act(member, () => undefined);
    this.checks.beginsWith(member.disk);
  }

  crash(id: NodeId, write: WriteFate): void {
    this.#members.delete(id);
    this.disk(id).crash(write);
    this.checks.crashed(id);
    this.transfers.crashed(id);
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

  reconfigure(id: NodeId, changes: readonly MemberChange[]): ReconfigurationResult {
    return this.#act(this.#running(id), (node) => node.reconfigure(changes, new Uint8Array(0)));
  }

  /** A leader begins to send what its state machine is now, and what it says of itself. */
  sendSnapshot(from: NodeId, to: NodeId): Transfer {
    const { seen, disk, state } = this.#running(from);
    assert(seen.role === "leader", "only a leader sends a snapshot");
    const index = state.applied;
    const ofTerm = disk.log.termAt(index);
    assert(ofTerm !== undefined, "what is applied is in the log on disk, or just before it");
    const { configuration } = disk.configurations.at(index);
    const transfer = { from, to, term: seen.term, last: { index, term: ofTerm }, configuration, state };
    this.transfers.send(transfer);
    return transfer;
  }

  /** The whole content of a snapshot has arrived. At a node that is down it is lost. */
  deliverSnapshot(transfer: Transfer): void {
    const { from, to, term, last } = transfer;
    const member = this.#members.get(to);
    const arrow = member === undefined ? "⇏" : "⇒";
    const route = `${formatSpeaker(from, term)} ${arrow} ${formatNode(to)}`;
    this.#options.tell(`${route}  snapshot last=${formatEntryId(last)}`);
    if (member === undefined) return;
    this.#act(member, (node) => {
      if (node.snapshotReceived(transfer)) member.received(transfer);
    });
  }

  /** The sender gives a transfer up. */
  snapshotFailed(from: NodeId, to: NodeId): void {
    this.#act(this.#running(from), (node) => {
      node.snapshotFailed(to);
    });
  }

  /** A node drops the beginning of its log. */
  compact(id: NodeId, index: LogIndex): void {
    this.disk(id).compact(index);
    this.checks.beginsWith(this.disk(id));
    const member = this.#members.get(id);
    if (member !== undefined) this.#act(member, () => undefined);
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
    member.disk.save(member.state);
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
    this.checks.acted(member);
    member.settle();
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
    for (const to of ready.snapshotsTo) this.transfers.want({ from: member.seen.id, to });
    if (ready.persist !== undefined) this.#beginWrite(member, ready.persist);
    for (const { context, index } of ready.readStates) {
      this.checks.readAnswered(context, index);
      member.readConfirmed(context, index);
    }
    for (const context of ready.droppedReads) this.checks.readDropped(context);
    this.#serve(member);
  }

  #serve(member: Member): void {
    for (const { context } of member.takeServable()) {
      this.#tell(member, `serves read ${String(context)} having applied ${String(member.applied)}`);
    }
  }

  #apply(member: Member, entry: Entry): void {
    member.apply(entry);
    this.checks.applied(entry, member.state);
    this.#tell(member, `applies ${tellEntry(entry)}`);
  }

  #beginWrite(member: Member, batch: PersistBatch): void {
    const { hardState, entries } = batch;
    const snapshot = batch.snapshot && member.contentOf(batch.snapshot);
    member.disk.begin({ hardState, snapshot, entries, state: member.state });
    member.batch = batch;
    const text = tellBatch(batch, member.disk.hardState);
    if (member.speed === "slow") this.#tell(member, `begins to write ${text}`);
    else this.#endWrite(member);
  }

  #endWrite(member: Member): void {
    const { batch, disk } = member;
    if (batch === undefined) return;
    const text = tellBatch(batch, disk.hardState);
    const { snapshot } = disk.end();
    this.#tell(member, `has written ${text}`);
    member.batch = undefined;
    for (const entry of batch.entries) this.checks.saw(entry);
    if (snapshot !== undefined) {
      member.installed(snapshot);
      this.checks.beginsWith(disk);
      this.#serve(member);
    }
    const before = member.log();
    member.node.persisted(batch.id);
    // What it commits may be a joint configuration, which is then left: only that is new.
    const after = formatEntries(member.log().slice(0, before.length));
    assert(after === formatEntries(before), "a write that ends changes nothing in the log");
    member.checkStored();
    this.#check(member);
    this.#send(member, batch.thenSend);
    this.#honourAll(member);
  }

  #send(member: Member, messages: readonly Message[]): void {
    for (const message of messages) {
      this.#options.hear?.(message);
      this.checks.sent(message, member.disk, this.#members.get(message.to));
      const fate = this.network.send(message);
      if (fate !== "travels") this.#tellMessage(message, fate);
    }
  }

  #tell(member: Member, text: string): void {
    const { id, term } = member.seen;
    this.#options.tell(`${formatSpeaker(id, term)}      ${text}`);
  }

  #tellMessage(message: Message, fate: Fate): void {
    this.#options.tell(formatMessage(message, arrows[fate]));
  }
}
