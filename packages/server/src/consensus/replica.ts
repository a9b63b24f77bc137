/** A member of the cluster: the driver and what callers wait for, behind the face that doors see. */
import { type Configuration, type ConfigurationAt, logIndex, type NodeId } from "@dkv/raft";
import {
  type AuthState,
  type Caller,
  type HistoryHash,
  type KeyValue,
  type Operation,
  type PageBounds,
  type RangeOperation,
  type RangeResult,
  type Revision,
} from "@dkv/store";
import type { DkvError } from "../platform/errors.ts";
import type { StateSnapshot } from "../storage/storage.ts";
import { Alarms } from "./check/alarms.ts";
import { Checks, maxCheckTimeoutMs } from "./check/checks.ts";
import { StateWatch } from "./check/state-watch.ts";
import { Commands } from "./commands.ts";
import { detailsOf } from "./details.ts";
import { Driver, type DriverDeps } from "./driver.ts";
import { Duties } from "./duties.ts";
import { Leases } from "./leases/leases.ts";
import { LocalReads } from "./local-reads.ts";
import type {
  CheckReport,
  CommandResult,
  Member,
  MemberAlarm,
  MemberDetails,
  MembershipChange,
  MemberStatus,
  MemberView,
} from "./member.ts";
import { Acquaintances } from "./membership/acquaintances.ts";
import { Autopilot } from "./membership/autopilot.ts";
import { Membership } from "./membership/membership.ts";
import { MembershipTable } from "./membership/table.ts";
import { describeQuorum, viewsOf } from "./membership/views.ts";
import { Proposals } from "./proposals.ts";
import { Reads } from "./reads.ts";
import { stopping } from "./refusals.ts";
import type { ReplicaDeps, ReplicaOptions } from "./replica-options.ts";
import { takeSnapshot } from "./taking-snapshots.ts";
import { answerRequest } from "./requests/answer.ts";
import type { Followers } from "./requests/request-bodies.ts";
import { successorIn } from "./successor.ts";
import { WatchHub } from "./watch/hub.ts";

export type { ReplicaDeps, ReplicaOptions } from "./replica-options.ts";

/** How long the leader is waited for when somebody wants to know how far the members are. */
const followersTimeoutMs = 500;

/** How long members are waited for that hash what they have stored, unless the caller says. */
const checkTimeoutMs = 60_000;

/** To remove history may take as long as it takes. */
const maxRemovalMs = 86_400_000;

export class Replica implements Member {
  readonly #options: ReplicaOptions;
  readonly #deps: ReplicaDeps;
  readonly #driver: Driver;
  readonly #commands: Commands;
  readonly #proposals: Proposals;
  readonly #reads: Reads;
  readonly #localReads: LocalReads;
  readonly #membership: Membership;
  readonly #autopilot: Autopilot;
  readonly #acquaintances: Acquaintances;
  readonly #alarms: Alarms;
  readonly #checks: Checks;
  readonly #stateWatch: StateWatch;
  readonly #duties: Duties;
  readonly leases: Leases;
  readonly watches: WatchHub;
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
      ...this.#listeners(),
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
      propose: (...asked: Parameters<Commands["ofMember"]>) => this.#commands.ofMember(...asked),
    };
    this.#alarms = new Alarms(shared);
    const ending = (): DkvError | undefined => (this.#stopping ? stopping() : undefined);
    const refusal = (): DkvError | undefined =>
      this.#alarms.isCorruptHere ? this.#alarms.refusal() : undefined;
    this.#commands = new Commands(options.requestTimeoutMs, {
      ...shared,
      proposals: this.#proposals,
      ending,
      refusal: (operation) => refusal() ?? this.#duties.quota.refusalOf(operation),
    });
    this.#localReads = new LocalReads({ ...deps, refusal, ending });
    this.watches = new WatchHub(options.watches, { ...deps, electionTimeoutMs, refusal });
    this.#duties = new Duties(options, {
      ...shared,
      proposals: this.#proposals,
      isCorrupt: () => this.#alarms.isCorruptHere,
    });
    this.leases = new Leases(options, {
      ...shared,
      requests,
      localReads: this.#localReads,
      leaseClock: this.#duties.leaseClock,
      readBarrier: (timeoutMs) => this.readBarrier(timeoutMs),
      refusal: () => ending() ?? refusal(),
    });
    this.#checks = new Checks({ ...shared, alarms: this.#alarms });
    const watched = { ...shared, alarms: this.#alarms, checks: this.#checks };
    this.#stateWatch = new StateWatch(options.checkIntervalMs, watched);
  }

  async start(): Promise<void> {
    await this.#driver.start();
    this.watches.leadership(this.#driver.softState);
    this.#autopilot.start();
    this.#stateWatch.start();
    this.#duties.start();
  }

  get auth(): AuthState {
    return this.#deps.store.auth;
  }

  propose(operation: Operation, timeoutMs?: number, caller?: Caller): Promise<CommandResult> {
    return this.#commands.ofCaller(operation, timeoutMs, caller);
  }

  readBarrier(timeoutMs = this.#options.requestTimeoutMs): Promise<void> {
    if (this.#stopping) return Promise.reject(stopping());
    if (this.#alarms.isCorruptHere) return Promise.reject(this.#alarms.refusal());
    this.#driver.schedule();
    return this.#reads.add(this.#deps.clock.nowMs(), Math.min(timeoutMs, this.#options.requestTimeoutMs));
  }

  get(key: Uint8Array): KeyValue | undefined {
    return this.#localReads.get(key);
  }

  range(operation: RangeOperation, page?: PageBounds): Promise<RangeResult> {
    return this.#localReads.range(operation, page);
  }

  hashHistory(through: Revision): Promise<HistoryHash> {
    return this.#localReads.hashHistory(through);
  }

  alarms(): readonly MemberAlarm[] {
    return this.#alarms.list();
  }

  setNoSpace(memberId: NodeId, isRaised: boolean, timeoutMs?: number): Promise<void> {
    return this.#alarms.setNoSpace(memberId, isRaised, timeoutMs);
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

  details(): Promise<MemberDetails> {
    const { leaderChanges } = this.#duties;
    const own = { proposals: this.#proposals, status: this.#deps.node.status(), leaderChanges };
    return detailsOf({ ...this.#deps, ...own, table: this.#membership.table }, this.#options.quotaBytes);
  }

  historyRemoved(timeoutMs = maxRemovalMs): Promise<void> {
    return this.#duties.historyRemoved(Math.min(timeoutMs, maxRemovalMs));
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
    return takeSnapshot({ ...this.#deps, driver: this.#driver, ending: () => this.#stopping });
  }

  /**
   * Hands leadership over, finishes what was accepted, and makes it durable. Refuses everything new from
   * the first moment. Takes at most about two election timeouts.
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#autopilot.stop();
    this.#stateWatch.stop();
    this.#duties.stop();
    this.leases.stop(stopping());
    this.watches.stop(stopping());
    await this.#driver.until(
      () => this.#proposals.size === 0 && this.#reads.size === 0,
      this.#options.electionTimeoutMs,
    );
    await this.#handOver();
    this.#proposals.stop();
    this.#reads.stop();
    await this.#driver.stop();
  }

  #answer(body: Uint8Array): Promise<Uint8Array> {
    const { leases } = this;
    return answerRequest(body, { leases, checks: this.#checks, membership: this.#membership });
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

  /** What becomes of what the driver tells. */
  #listeners(): Omit<Pick<DriverDeps, Extract<keyof DriverDeps, `on${string}`>>, "onRemoved"> {
    return {
      onApplied: (applied, operation) => {
        this.#duties.applied(applied, operation);
        this.watches.applied(applied);
      },
      onRestored: () => {
        this.#localReads.restored();
        this.watches.restored();
      },
      onLeadership: (now) => {
        this.watches.leadership(now);
        this.#duties.leadership(now);
      },
      onConfiguration: (at) => {
        this.#configured(at);
      },
      onConfigurationApplied: (configuration) => {
        this.#configurationApplied(configuration);
      },
    };
  }

  #nameOf(id: NodeId): string {
    return this.#membership.table.nameOf(id);
  }

  #describeQuorum(): string {
    return describeQuorum(this.#views(), this.#deps.node.status().configuration.configuration);
  }
}
