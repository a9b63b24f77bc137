/**
 * Owns the one {@link RaftNode} of this process. Nothing else may touch it.
 *
 * A turn takes everything that has arrived (frames from peers, writes, reads, ticks), steps the core,
 * and hands its work on: one frame for each peer, committed entries to the store, one synced batch to
 * the log. What arrives while a batch is being written waits and shares the next one, which is how a
 * hundred writes come to cost little more than one. What the store makes of entries is saved now and then.
 *
 *   arrived ─▶ step ─▶ messages ─────────────────▶ peers
 *                 ├──▶ batch ─▶ log ─▶ persisted ─▶ votes, acknowledgements ─▶ peers
 *                 └──▶ committed ─▶ store ─▶ answers
 *                                     └─ now and then ─▶ state on disk
 *
 * A failed write ends the process: memory and disk may then disagree, and only a restart settles it.
 */
import type { Logger } from "pino";
import type {
  Configuration,
  ConfigurationAt,
  NodeId,
  PersistBatch,
  RaftNode,
  Ready,
  Snapshot,
  SoftState,
} from "@dkv/raft";
import { ForgottenPromise, logIndex, readContext, type StateMachine } from "@dkv/raft";
import type { Applied, LoggedOperation, Store } from "@dkv/store";
import type { Cancel, Clock } from "../platform/clock.ts";
import type { Storage } from "../storage/storage.ts";
import type { PeerFrame, PeerTransport } from "../transport/peer-transport.ts";
import { Applier } from "./applier.ts";
import { StateHashes } from "./check/state-hashes.ts";
import type { CompactionLimits } from "./compaction.ts";
import type { DiskReserve } from "./disk-reserve.ts";
import { DiskWatch } from "./disk-watch.ts";
import { Guard } from "./guard.ts";
import { Installer } from "./installer.ts";
import { Outbox } from "./outbox.ts";
import { PeerRequests } from "./peer-requests.ts";
import type { Proposals } from "./proposals.ts";
import { Proposing, type ProposingLimits } from "./proposing.ts";
import type { Reads } from "./reads.ts";
import { Snapshots } from "./snapshots.ts";
import { StateSaver } from "./state-saver.ts";

/** What is being written gets so long to end when the member stops. */
const stopMs = 1000;

export interface DriverDeps {
  readonly node: RaftNode;
  readonly store: Store;
  readonly storage: Storage;
  readonly transport: PeerTransport;
  readonly proposals: Proposals;
  readonly reads: Reads;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly reserve: DiskReserve;
  /** 64 random bits that name this run of this process in commands and reads. */
  readonly proposer: bigint;
  readonly proposingLimits: ProposingLimits;
  readonly compaction: CompactionLimits;
  readonly tickMs: number;
  /** A batch that is out to the log for longer stalls the disk. */
  readonly electionTimeoutMs: number;
  readonly nameOf: (id: NodeId) => string;
  /** Whether the state of this member is known to be wrong. */
  readonly isCorrupt: () => boolean;
  /** Says in words how many members answer, for error texts. */
  readonly describeQuorum: () => string;
  /** Answers what another member asks. */
  readonly answer: (body: Uint8Array) => Promise<Uint8Array>;
  /** Another configuration is in force, committed or not. */
  readonly onConfiguration: (at: ConfigurationAt) => void;
  /** A command was applied. */
  readonly onApplied: (applied: Applied, operation: LoggedOperation) => void;
  /** Another term has begun, or another role in it. */
  readonly onLeadership: (now: SoftState) => void;
  /** The state of another member has taken the place of what was applied. */
  readonly onRestored: () => void;
  /** A configuration is in force for good. */
  readonly onConfigurationApplied: (configuration: Configuration) => void;
  /** A peer says that this member was removed from the cluster. */
  readonly onRemoved: () => void;
  /** Ends the process: going on would be a guess. */
  readonly fatal: (error: unknown) => void;
}

export class Driver {
  readonly #deps: DriverDeps;
  readonly #outbox = new Outbox();
  readonly #guard: Guard;
  readonly #disk: DiskWatch;
  readonly #proposing: Proposing;
  readonly #saver: StateSaver;
  readonly #applier: Applier;
  readonly #installer: Installer;
  readonly #snapshots: Snapshots;
  /** Questions to other members. */
  readonly requests: PeerRequests;
  /** What the state was at the last checks. */
  readonly hashes: StateHashes;
  #arrived: { readonly from: NodeId; readonly frame: PeerFrame }[] = [];
  #turnScheduled = false;
  #writing: Promise<void> | undefined;
  #cancelTicks: Cancel | undefined;
  #readRounds: bigint;
  #softState: SoftState;
  #stopped = false;
  #watchers: { readonly condition: () => boolean; readonly resolve: () => void }[] = [];

  constructor(deps: DriverDeps) {
    this.#deps = deps;
    this.#guard = new Guard((error) => {
      this.#fail(error);
    });
    const patienceTicks = Math.ceil(deps.electionTimeoutMs / deps.tickMs);
    this.#disk = new DiskWatch({ ...deps, patienceTicks });
    const schedule = (): void => {
      this.schedule();
    };
    const shared = { ...deps, guard: this.#guard, outbox: this.#outbox, schedule };
    this.#proposing = new Proposing(deps.proposingLimits, { ...shared, disk: this.#disk });
    this.requests = new PeerRequests(shared);
    this.#snapshots = new Snapshots(shared);
    this.hashes = new StateHashes(shared);
    this.#saver = new StateSaver({
      ...shared,
      hashes: this.hashes,
      keepAfter: () => this.#snapshots.keepAfter,
      onSaved: () => {
        this.#turn();
      },
    });
    this.#applier = new Applier({
      ...shared,
      onApplied: (applied, operation) => {
        if (operation.case === "check") this.#saver.check();
        deps.onApplied(applied, operation);
      },
      onResumed: () => {
        this.#turn();
      },
    });
    this.#installer = new Installer({
      ...deps,
      applier: this.#applier,
      saver: this.#saver,
      isStopped: () => this.#stopped,
    });
    // Rounds count from a random start, so that no two processes ever use the same name.
    this.#readRounds = deps.proposer;
    this.#softState = deps.node.status();
  }

  /** Who leads, as this node knew at the end of its last turn. */
  get softState(): SoftState {
    return this.#softState;
  }

  async start(): Promise<void> {
    await this.#deps.transport.start({
      onFrame: (from, frame) => {
        if (this.#stopped) return;
        this.#arrived.push({ from, frame });
        this.schedule();
      },
      onRemoved: this.#deps.onRemoved,
      onDataLost: (reason) => {
        this.#guard.fail(new ForgottenPromise(reason));
      },
      onSnapshot: (from, term, header) => this.#snapshots.offered(from, term, header),
      onSnapshotComplete: (from, term, header) => {
        this.#snapshots.completed(from, term, header);
      },
    });
    this.#cancelTicks = this.#deps.clock.every(this.#deps.tickMs, () => {
      this.#guard.run(() => {
        this.#tick();
      });
      this.schedule();
    });
  }

  /** Asks for a turn once everything that has already arrived is in. */
  schedule(): void {
    if (this.#turnScheduled || this.#stopped) return;
    this.#turnScheduled = true;
    this.#deps.clock.soon(() => {
      this.#turnScheduled = false;
      this.#guard.run(() => {
        this.#turn();
      });
    });
  }

  /** Does something with the core on behalf of somebody who waits for the result, and takes a turn after it. */
  withNode<Result>(work: (node: RaftNode) => Result): Result {
    this.schedule();
    return this.#guard.result(() => work(this.#deps.node));
  }

  /** Resolves true as soon as a turn ends with the condition true, or false after so many milliseconds. */
  async until(condition: () => boolean, withinMs: number): Promise<boolean> {
    if (condition()) return true;
    return new Promise((resolve) => {
      const watcher = {
        condition,
        resolve: () => {
          cancel();
          resolve(true);
        },
      };
      this.#watchers.push(watcher);
      const cancel = this.#deps.clock.after(withinMs, () => {
        this.#watchers = this.#watchers.filter((other) => other !== watcher);
        resolve(condition());
      });
      this.schedule();
    });
  }

  /** Resolves when everything that is applied by now is durable in the state, and not in the log alone. */
  saveApplied(): Promise<void> {
    return this.#saver.saveApplied();
  }

  /**
   * Takes no more turns, waits for what is being written, and saves what was applied. The transport and the
   * storage stay open.
   */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTicks?.();
    this.#snapshots.stop();
    this.#applier.abandon();
    const written = Promise.all([this.#writing, this.#saver.finish()]);
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const cancel = this.#deps.clock.after(stopMs, resolve);
    await Promise.race([written, late]);
    cancel();
  }

  /** Whether the store takes more. */
  get #stateMachine(): StateMachine {
    return this.#applier.isWaiting ? "full" : this.#saver.stateMachine;
  }

  #tick(): void {
    const { node, proposals, reads, clock, describeQuorum } = this.#deps;
    node.tick();
    this.#disk.tick();
    this.#proposing.tick();
    const nowMs = clock.nowMs();
    proposals.expire(nowMs, describeQuorum);
    reads.expire(nowMs, describeQuorum);
  }

  #turn(): void {
    if (this.#stopped) return;
    const { node, transport } = this.#deps;
    this.#receive();
    this.#proposing.propose();
    this.#beginReadRound();
    const ready = node.ready(this.#stateMachine);
    this.#honour(ready);
    const notTaken = this.#outbox.flush(transport);
    this.#proposing.flushed(notTaken);
    this.requests.flushed(notTaken);
    this.#write(ready.persist);
    this.#saver.saveSoon();
    if (this.#proposing.hasMore || node.hasReady(this.#stateMachine)) this.schedule();
    this.#wakeWatchers();
  }

  #receive(): void {
    if (this.#arrived.length === 0) return;
    const arrived = this.#arrived;
    this.#arrived = [];
    for (const { from, frame } of arrived) {
      for (const message of frame.messages) this.#deps.node.step(message);
      this.#proposing.received(from, frame);
      this.requests.received(from, frame);
    }
  }

  #beginReadRound(): void {
    const { node, reads, clock } = this.#deps;
    if (!reads.wantsRound) return;
    this.#readRounds = BigInt.asUintN(64, this.#readRounds + 1n) || 1n;
    const context = readContext(this.#readRounds);
    if (node.readIndex(context).kind === "accepted") reads.begin(context, clock.nowMs());
  }

  #honour(ready: Ready): void {
    const { reads, store } = this.#deps;
    this.#outbox.messages(ready.messages);
    if (ready.softState !== undefined) this.#leadershipChanged(ready.softState);
    if (ready.configuration !== undefined) this.#deps.onConfiguration(ready.configuration);
    this.#snapshots.needed(ready.snapshotsTo);
    this.#applier.apply(ready.committed);
    for (const context of ready.droppedReads) reads.dropped(context);
    for (const state of ready.readStates) reads.confirmed(state, logIndex(store.appliedIndex));
  }

  /** The core gives no batch while one is being written. */
  #write(batch: PersistBatch | undefined): void {
    if (batch === undefined) return;
    const { storage, node } = this.#deps;
    if (batch.snapshot === undefined) this.#disk.batchLeft();
    const stored = batch.snapshot ? this.#install(batch, batch.snapshot) : storage.append(batch);
    this.#writing = this.#guard.runAfter(stored, () => {
      this.#writing = undefined;
      if (this.#stopped) return;
      this.#disk.batchStored();
      node.persisted(batch.id);
      this.#outbox.messages(batch.thenSend);
      this.#turn();
    });
  }

  async #install(batch: PersistBatch, snapshot: Snapshot): Promise<void> {
    await this.#installer.install(batch, snapshot);
  }

  #leadershipChanged(now: SoftState): void {
    const before = this.#softState;
    this.#softState = now;
    this.#deps.onLeadership(now);
    if (before.leader === now.leader && before.role === now.role) return;
    const { leader, role, term } = now;
    if (before.role === "leader" && role !== "leader") this.#snapshots.leadershipLost();
    const text = leader === undefined ? "no leader" : role === "leader" ? "leading" : "following";
    this.#deps.logger.info({ role, term, leader: leader && this.#deps.nameOf(leader) }, text);
  }

  #wakeWatchers(): void {
    if (this.#watchers.length === 0) return;
    const woken = this.#watchers.filter((watcher) => watcher.condition());
    this.#watchers = this.#watchers.filter((watcher) => !woken.includes(watcher));
    for (const watcher of woken) watcher.resolve();
  }

  #fail(error: unknown): void {
    this.#stopped = true;
    this.#cancelTicks?.();
    this.#deps.fatal(error);
  }
}
