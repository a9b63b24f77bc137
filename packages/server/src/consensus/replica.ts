/** A member of the cluster: the driver and what callers wait for, behind the face that doors see. */
import type { Logger } from "pino";
import { logIndex, type NodeId, type RaftNode } from "@dkv/raft";
import { encodeCommand, type ApplyResult, type KeyValue, type Operation, type Store } from "@dkv/store";
import type { Clock } from "../platform/clock.ts";
import { DkvError } from "../platform/errors.ts";
import type { MemberRecord, Storage } from "../storage/storage.ts";
import type { PeerTransport } from "../transport/peer-transport.ts";
import { Driver } from "./driver.ts";
import type { Member, MemberStatus, MemberView } from "./member.ts";
import { Proposals, type ProposalLimits } from "./proposals.ts";
import type { ProposingLimits } from "./proposing.ts";
import { Reads } from "./reads.ts";
import { successorIn } from "./successor.ts";

export interface ReplicaOptions {
  readonly name: string;
  /** Where clients reach this member; empty if unknown. */
  readonly clientAddress: string;
  /** Where clients reach members, by name, as the flags say. */
  readonly advertisedNodes: ReadonlyMap<string, string>;
  readonly tickMs: number;
  readonly electionTimeoutMs: number;
  /** The longest a write or a read is waited for. */
  readonly requestTimeoutMs: number;
  readonly proposalLimits: ProposalLimits;
  readonly proposingLimits: ProposingLimits;
  readonly waitingReads: number;
}

export interface ReplicaDeps {
  readonly node: RaftNode;
  readonly store: Store;
  readonly storage: Storage;
  readonly transport: PeerTransport;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly proposer: bigint;
  readonly fatal: (error: unknown) => void;
}

export class Replica implements Member {
  readonly #options: ReplicaOptions;
  readonly #deps: ReplicaDeps;
  readonly #driver: Driver;
  readonly #proposals: Proposals;
  readonly #reads: Reads;
  readonly #names: ReadonlyMap<NodeId, string>;
  #stopping = false;

  constructor(options: ReplicaOptions, deps: ReplicaDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#names = new Map(deps.storage.members.map(({ id, name }) => [id, name]));
    this.#proposals = new Proposals(options.proposalLimits);
    this.#reads = new Reads({ count: options.waitingReads, roundTimeoutMs: options.electionTimeoutMs });
    this.#driver = new Driver({
      ...deps,
      proposals: this.#proposals,
      reads: this.#reads,
      proposingLimits: options.proposingLimits,
      tickMs: options.tickMs,
      electionTimeoutMs: options.electionTimeoutMs,
      nameOf: (id) => this.#names.get(id) ?? id.toString(16),
      describeQuorum: () => this.#describeQuorum(),
    });
  }

  async start(): Promise<void> {
    await this.#driver.start();
  }

  propose(operation: Operation, timeoutMs = this.#options.requestTimeoutMs): Promise<ApplyResult> {
    if (this.#stopping) return Promise.reject(stopping());
    const sequence = this.#proposals.nextSequence();
    const command = encodeCommand({ proposer: this.#deps.proposer, sequence }, operation);
    this.#driver.schedule();
    return this.#proposals.add(sequence, command, {
      nowMs: this.#deps.clock.nowMs(),
      timeoutMs: Math.min(timeoutMs, this.#options.requestTimeoutMs),
    });
  }

  readBarrier(timeoutMs = this.#options.requestTimeoutMs): Promise<void> {
    if (this.#stopping) return Promise.reject(stopping());
    this.#driver.schedule();
    return this.#reads.add(this.#deps.clock.nowMs(), Math.min(timeoutMs, this.#options.requestTimeoutMs));
  }

  get(key: Uint8Array): KeyValue | undefined {
    try {
      return this.#deps.store.get(key);
    } catch (error) {
      // A damaged record: what else the disk has lost is not known.
      this.#deps.fatal(error);
      throw error;
    }
  }

  status(): MemberStatus {
    const { storage, store } = this.#deps;
    const { role, term, leader } = this.#driver.softState;
    return {
      clusterId: storage.identity.clusterId,
      memberId: storage.identity.memberId,
      name: this.#options.name,
      role,
      term,
      leader: leader === undefined ? "" : (this.#names.get(leader) ?? ""),
      leaderId: leader,
      appliedIndex: logIndex(store.appliedIndex),
      revision: store.revision,
    };
  }

  members(): readonly MemberView[] {
    const { leader } = this.#driver.softState;
    return this.#deps.storage.members.map((member) => this.#view(member, leader));
  }

  /**
   * Hands leadership over, finishes what was accepted, and makes it durable. Refuses everything new from
   * the first moment. Takes at most about two election timeouts.
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#driver.until(
      () => this.#proposals.size === 0 && this.#reads.size === 0,
      this.#options.electionTimeoutMs,
    );
    await this.#handOver();
    this.#proposals.stop();
    this.#reads.stop();
    await this.#driver.stop();
  }

  async #handOver(): Promise<void> {
    const { node, transport, logger } = this.#deps;
    const successor = successorIn(node.status(), transport);
    if (successor === undefined) return;
    if (node.transferLeadership(successor).kind === "dropped") return;
    const left = await this.#driver.until(
      () => node.status().role !== "leader",
      this.#options.electionTimeoutMs,
    );
    const to = this.#names.get(successor);
    logger.info({ to }, left ? "handed leadership over" : "could not hand leadership over in time");
  }

  #view(member: MemberRecord, leader: NodeId | undefined): MemberView {
    const isSelf = member.id === this.#deps.storage.identity.memberId;
    const peer = this.#deps.transport.peers().find(({ id }) => id === member.id);
    const told = isSelf ? this.#options.clientAddress : (peer?.clientAddress ?? "");
    return {
      id: member.id,
      name: member.name,
      peerAddress: member.peerAddress,
      clientAddress: this.#options.advertisedNodes.get(member.name) ?? told,
      isLeader: member.id === leader,
      isReachable: isSelf || this.#heardLately(peer?.lastHeardMs),
    };
  }

  #heardLately(lastHeardMs: number | undefined): boolean {
    return (
      lastHeardMs !== undefined && this.#deps.clock.nowMs() - lastHeardMs < this.#options.electionTimeoutMs
    );
  }

  #describeQuorum(): string {
    const members = this.members();
    const reachable = members.filter((member) => member.isReachable).length;
    return `${String(reachable)} of ${String(members.length)} members answer, ${String(Math.floor(members.length / 2) + 1)} are needed`;
  }
}

function stopping(): DkvError {
  return new DkvError("stopping", "this member is stopping; nothing was written, use another one");
}
