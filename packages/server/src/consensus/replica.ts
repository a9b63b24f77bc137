/** A member of the cluster: the driver and what callers wait for, behind the face that doors see. */
import type { Logger } from "pino";
import { type Configuration, type ConfigurationAt, logIndex, type NodeId, type RaftNode } from "@dkv/raft";
import {
  type ApplyResult,
  encodeCommand,
  type KeyValue,
  type LoggedOperation,
  type Operation,
  type Store,
} from "@dkv/store";
import type { Clock } from "../platform/clock.ts";
import { DkvError } from "../platform/errors.ts";
import type { Random } from "../platform/random.ts";
import type { StateSnapshot, Storage } from "../storage/storage.ts";
import type { PeerTransport } from "../transport/peer-transport.ts";
import { Alarms } from "./check/alarms.ts";
import { Checks } from "./check/checks.ts";
import { StateWatch } from "./check/state-watch.ts";
import type { CompactionLimits } from "./compaction.ts";
import type { DiskReserve } from "./disk-reserve.ts";
import { Driver } from "./driver.ts";
import type { CheckReport, Member, MembershipChange, MemberStatus, MemberView } from "./member.ts";
import { Acquaintances } from "./membership/acquaintances.ts";
import { Autopilot, type AutopilotOptions } from "./membership/autopilot.ts";
import { Membership } from "./membership/membership.ts";
import { decodeRequest, encodeResponse, type Followers } from "./membership/request-bodies.ts";
import { MembershipTable } from "./membership/table.ts";
import { describeQuorum, viewsOf } from "./membership/views.ts";
import { Proposals, type ProposalLimits } from "./proposals.ts";
import type { ProposingLimits } from "./proposing.ts";
import { Reads } from "./reads.ts";
import { successorIn } from "./successor.ts";

/** How long the leader is waited for when somebody wants to know how far the members are. */
const followersTimeoutMs = 500;

/** How long members are waited for that hash what they have stored, unless the caller says, and at most. */
const checkTimeoutMs = 60_000;
const maxCheckTimeoutMs = 600_000;

export interface ReplicaOptions {
  readonly name: string;
  /** Of dkv. */
  readonly version: string;
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
  readonly compaction: CompactionLimits;
  readonly autopilot: AutopilotOptions;
  /** How often a leader compares what the members have stored; undefined: only when it is asked to. */
  readonly checkIntervalMs: number | undefined;
}

export interface ReplicaDeps {
  readonly node: RaftNode;
  readonly store: Store;
  readonly storage: Storage;
  readonly transport: PeerTransport;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whoever measures the disk tells it. */
  readonly reserve: DiskReserve;
  readonly proposer: bigint;
  readonly random: Random;
  /** This member was removed from the cluster. May be called more than once. */
  readonly onRemoved: () => void;
  readonly fatal: (error: unknown) => void;
}

export class Replica implements Member {
  readonly #options: ReplicaOptions;
  readonly #deps: ReplicaDeps;
  readonly #driver: Driver;
  readonly #proposals: Proposals;
  readonly #reads: Reads;
  readonly #membership: Membership;
  readonly #autopilot: Autopilot;
  readonly #acquaintances: Acquaintances;
  readonly #alarms: Alarms;
  readonly #checks: Checks;
  readonly #stateWatch: StateWatch;
  #stopping = false;

  constructor(options: ReplicaOptions, deps: ReplicaDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#proposals = new Proposals(options.proposalLimits);
    this.#reads = new Reads({ count: options.waitingReads, roundTimeoutMs: options.electionTimeoutMs });
    this.#driver = new Driver({
      ...deps,
      proposals: this.#proposals,
      reads: this.#reads,
      proposingLimits: options.proposingLimits,
      compaction: options.compaction,
      tickMs: options.tickMs,
      electionTimeoutMs: options.electionTimeoutMs,
      nameOf: (id) => this.#nameOf(id),
      describeQuorum: () => this.#describeQuorum(),
      isCorrupt: () => this.#alarms.isCorruptHere,
      answer: (body) => this.#answer(body),
      onConfiguration: (at) => {
        this.#configured(at);
      },
      onConfigurationApplied: (configuration) => {
        this.#configurationApplied(configuration);
      },
    });
    const driver = this.#driver;
    const { requests } = driver;
    const { electionTimeoutMs } = options;
    const { transport, storage } = deps;
    const { identity } = storage;
    this.#membership = new Membership({ ...deps, identity, driver, requests, electionTimeoutMs });
    const { commit } = storage.hardState;
    this.#acquaintances = new Acquaintances(transport, storage.configurations, commit);
    this.#autopilot = new Autopilot(options.autopilot, {
      ...deps,
      membership: this.#membership,
      leads: () => driver.softState.role === "leader",
    });
    const shared = {
      ...deps,
      driver,
      identity,
      status: () => deps.node.status(),
      table: () => this.#membership.table,
      propose: (operation: LoggedOperation, timeoutMs?: number) => this.#propose(operation, timeoutMs),
    };
    this.#alarms = new Alarms(shared);
    this.#checks = new Checks({ ...shared, alarms: this.#alarms });
    const watched = { ...shared, alarms: this.#alarms, checks: this.#checks };
    this.#stateWatch = new StateWatch(options.checkIntervalMs, watched);
  }

  async start(): Promise<void> {
    await this.#driver.start();
    this.#autopilot.start();
    this.#stateWatch.start();
  }

  propose(operation: Operation, timeoutMs?: number): Promise<ApplyResult> {
    if (this.#alarms.isCorruptHere) return Promise.reject(this.#alarms.refusal());
    return this.#propose(operation, timeoutMs);
  }

  #propose(operation: LoggedOperation, timeoutMs = this.#options.requestTimeoutMs): Promise<ApplyResult> {
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
    if (this.#alarms.isCorruptHere) return Promise.reject(this.#alarms.refusal());
    this.#driver.schedule();
    return this.#reads.add(this.#deps.clock.nowMs(), Math.min(timeoutMs, this.#options.requestTimeoutMs));
  }

  get(key: Uint8Array): KeyValue | undefined {
    if (this.#alarms.isCorruptHere) throw this.#alarms.refusal();
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
      leader: leader === undefined ? "" : this.#nameOf(leader),
      leaderId: leader,
      appliedIndex: logIndex(store.appliedIndex),
      revision: store.revision,
      isCorrupt: this.#alarms.isCorruptHere,
    };
  }

  async members(timeoutMs = followersTimeoutMs): Promise<readonly MemberView[]> {
    const followers = await this.#membership.followers(Math.min(timeoutMs, followersTimeoutMs));
    return this.#views(followers);
  }

  changeMembership(change: MembershipChange, timeoutMs = this.#options.requestTimeoutMs): Promise<void> {
    if (this.#stopping) return Promise.reject(stopping());
    return this.#membership.change(change, Math.min(timeoutMs, this.#options.requestTimeoutMs));
  }

  moveLeader(name: string, timeoutMs = this.#options.requestTimeoutMs): Promise<void> {
    if (this.#stopping) return Promise.reject(stopping());
    return this.#membership.moveLeader(name, Math.min(timeoutMs, this.#options.requestTimeoutMs));
  }

  check(timeoutMs = checkTimeoutMs): Promise<CheckReport> {
    if (this.#stopping) return Promise.reject(stopping());
    return this.#checks.run(Math.min(timeoutMs, maxCheckTimeoutMs));
  }

  async takeSnapshot(): Promise<StateSnapshot> {
    if (this.#stopping) throw stopping();
    if (this.#alarms.isCorruptHere) throw this.#alarms.refusal();
    const { storage, store } = this.#deps;
    const { appliedIndex } = store;
    await this.#driver.saveApplied();
    if (this.#stopping) throw stopping();
    const snapshot = storage.takeSnapshot();
    if (snapshot.header.last.index >= appliedIndex) return snapshot;
    await snapshot.close();
    throw new DkvError(
      "overloaded",
      "this member is about to take over the state of another one: nothing was copied, try again or use another one",
    );
  }

  /**
   * Hands leadership over, finishes what was accepted, and makes it durable. Refuses everything new from
   * the first moment. Takes at most about two election timeouts.
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#autopilot.stop();
    this.#stateWatch.stop();
    await this.#driver.until(
      () => this.#proposals.size === 0 && this.#reads.size === 0,
      this.#options.electionTimeoutMs,
    );
    await this.#handOver();
    this.#proposals.stop();
    this.#reads.stop();
    await this.#driver.stop();
  }

  async #answer(body: Uint8Array): Promise<Uint8Array> {
    const request = decodeRequest(body);
    const response =
      request?.kind === "stateHash"
        ? await this.#checks.respond(request.index, Math.min(request.timeoutMs, maxCheckTimeoutMs))
        : await this.#membership.answer(request);
    return encodeResponse(response);
  }

  async #handOver(): Promise<void> {
    const { node, transport, logger } = this.#deps;
    const successor = successorIn(node.status(), transport, (id) => !this.#alarms.isCorrupt(id));
    if (successor === undefined) return;
    if (this.#driver.withNode((core) => core.transferLeadership(successor)).kind === "dropped") return;
    const left = await this.#driver.until(
      () => node.status().role !== "leader",
      this.#options.electionTimeoutMs,
    );
    const to = this.#nameOf(successor);
    logger.info({ to }, left ? "handed leadership over" : "could not hand leadership over in time");
  }

  #views(followers?: Followers): readonly MemberView[] {
    const { storage, transport, clock } = this.#deps;
    const context = { ...this.#options, self: storage.identity.memberId };
    const { leader } = this.#driver.softState;
    const isCorrupt = (id: NodeId): boolean => this.#alarms.isCorrupt(id);
    const facts = { leader, peers: transport.peers(), nowMs: clock.nowMs(), followers, isCorrupt };
    return viewsOf(this.#membership.table, context, facts);
  }

  #configured({ index }: ConfigurationAt): void {
    const { table } = this.#membership;
    const members = table.members.map(({ name, role, incarnation }) => {
      const marks = [role === "learner" && "learner", incarnation === 0n && "not heard of yet"].filter(
        Boolean,
      );
      return marks.length === 0 ? name : `${name} (${marks.join(", ")})`;
    });
    this.#deps.logger.info({ index, members: members.join(", ") }, "members");
    this.#acquaintances.changed(table);
  }

  #configurationApplied(configuration: Configuration): void {
    const { storage, onRemoved } = this.#deps;
    const table = new MembershipTable(configuration);
    if (this.#acquaintances.settled(table, storage.identity.memberId)) onRemoved();
  }

  #nameOf(id: NodeId): string {
    return this.#membership.table.nameOf(id);
  }

  #describeQuorum(): string {
    return describeQuorum(this.#views(), this.#deps.node.status().configuration.configuration);
  }
}

function stopping(): DkvError {
  return new DkvError("stopping", "this member is stopping; nothing was written, use another one");
}
