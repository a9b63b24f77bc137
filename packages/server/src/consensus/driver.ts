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
 *                                     └─ every 20 ms ─▶ state on disk
 *
 * A failed write ends the process: memory and disk may then disagree, and only a restart settles it.
 */
import type { Logger } from "pino";
import type { NodeId, PersistBatch, RaftNode, Ready, SoftState, StateMachine, Term } from "@dkv/raft";
import { logIndex, noEntry, readContext } from "@dkv/raft";
import { commandId, isCommand, type Store } from "@dkv/store";
import type { Cancel, Clock } from "../platform/clock.ts";
import type { Storage } from "../storage/storage.ts";
import type { PeerFrame, PeerTransport } from "../transport/peer-transport.ts";
import { Outbox } from "./outbox.ts";
import type { Pending, Proposals } from "./proposals.ts";
import type { Reads } from "./reads.ts";

/** What was applied becomes durable after so long. Until then, a restart applies it again from the log. */
const saveAfterMs = 100;

/** With so much applied and not durable, it is saved without waiting; with four times as much, nothing more is applied. */
const saveBytes = 4 * 2 ** 20;

const wrongTerm = { kind: "dropped", because: "notLeader" } as const;

export interface DriverDeps {
  readonly node: RaftNode;
  readonly store: Store;
  readonly storage: Storage;
  readonly transport: PeerTransport;
  readonly proposals: Proposals;
  readonly reads: Reads;
  readonly clock: Clock;
  readonly logger: Logger;
  /** 64 random bits that name this run of this process in commands and reads. */
  readonly proposer: bigint;
  readonly tickMs: number;
  /** Says in words how many members answer, for error texts. */
  readonly describeQuorum: () => string;
  /** Ends the process: going on would be a guess. */
  readonly fatal: (error: unknown) => void;
}

export class Driver {
  readonly #deps: DriverDeps;
  readonly #outbox = new Outbox();
  #arrived: { readonly from: NodeId; readonly frame: PeerFrame }[] = [];
  #forwardedToUs: { readonly from: NodeId; readonly frame: PeerFrame }[] = [];
  #turnScheduled = false;
  #writing = false;
  #cancelTicks: Cancel | undefined;
  #saving = false;
  #cancelSave: Cancel | undefined;
  #readRounds: bigint;
  #softState: SoftState;
  #appliedTerm = noEntry.term;
  #stopped = false;
  #watchers: { readonly condition: () => boolean; readonly resolve: () => void }[] = [];

  constructor(deps: DriverDeps) {
    this.#deps = deps;
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
        this.#arrived.push({ from, frame });
        this.schedule();
      },
    });
    this.#cancelTicks = this.#deps.clock.every(this.#deps.tickMs, () => {
      this.#deps.node.tick();
      this.#expire();
      this.schedule();
    });
  }

  /** Asks for a turn once everything that has already arrived is in. */
  schedule(): void {
    if (this.#turnScheduled || this.#stopped) return;
    this.#turnScheduled = true;
    this.#deps.clock.soon(() => {
      this.#turnScheduled = false;
      this.#guardedTurn();
    });
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

  /** Stops taking turns and makes durable what was applied. The transport and the storage stay open. */
  async stop(): Promise<void> {
    this.#save();
    await this.until(() => !this.#writing && !this.#saving && !this.#deps.store.hasChanges(), 1000);
    this.#stopped = true;
    this.#cancelTicks?.();
    this.#cancelSave?.();
  }

  #guardedTurn(): void {
    if (this.#stopped) return;
    try {
      this.#turn();
    } catch (error) {
      this.#fail(error);
    }
  }

  #turn(): void {
    const { node, transport } = this.#deps;
    this.#receive();
    this.#propose();
    this.#beginReadRound();
    const ready = node.ready(this.#stateMachine);
    this.#honour(ready);
    this.#outbox.flush(transport);
    this.#write(ready.persist);
    this.#saveSoon();
    if (node.hasReady(this.#stateMachine)) this.schedule();
    this.#wakeWatchers();
  }

  #receive(): void {
    if (this.#arrived.length === 0) return;
    const { node, proposals } = this.#deps;
    const arrived = this.#arrived;
    this.#arrived = [];
    for (const { from, frame } of arrived) {
      for (const message of frame.messages) node.step(message);
      for (const { sequence, code } of frame.refusals) {
        if (code === "overloaded") proposals.rejectOverloaded(sequence);
        else proposals.refused(sequence);
      }
      if (frame.forwarded.length > 0) this.#forwardedToUs.push({ from, frame });
    }
  }

  /**
   * A leader proposes when its disk is free: what arrives while a batch is being written would wait for the
   * next one anyway, and so costs one append for each follower instead of many.
   */
  #propose(): void {
    const { leader, id, term } = this.#deps.node.status();
    if (leader === id && this.#writing) return;
    const forwarded = this.#forwardedToUs;
    if (forwarded.length > 0) this.#forwardedToUs = [];
    for (const { from, frame } of forwarded) this.#proposeForwarded(from, frame);
    if (leader === undefined) return;
    const waiting = this.#deps.proposals.takeWaiting();
    if (waiting.length === 0) return;
    if (leader === id) this.#proposeOwn(waiting, term);
    else this.#forward(leader, waiting, term);
  }

  #proposeForwarded(from: NodeId, { forwarded, forwardedTerm }: PeerFrame): void {
    const { node, logger } = this.#deps;
    // What no store could apply must not reach the log, whoever sent it.
    const commands = forwarded.filter(isCommand);
    if (commands.length < forwarded.length)
      logger.warn({ peer: from.toString(16) }, "dropped what is no command");
    if (commands.length === 0) return;
    // In another term than it was meant for, a command could be proposed here and again elsewhere.
    const isMeantForUs = node.status().term === forwardedTerm;
    const proposed = isMeantForUs ? node.propose(commands, from) : wrongTerm;
    if (proposed.kind === "accepted") return;
    const code = proposed.because === "uncommittedLimit" ? "overloaded" : "notLeader";
    for (const command of commands)
      this.#outbox.refuse(from, { sequence: commandId(command).sequence, code });
  }

  #forward(leader: NodeId, waiting: readonly Pending[], term: Term): void {
    const commands = waiting.map((pending) => pending.command);
    this.#outbox.forward(leader, term, commands);
    this.#deps.proposals.handedOn(waiting, term);
  }

  #proposeOwn(waiting: readonly Pending[], term: Term): void {
    const { node, proposals } = this.#deps;
    const proposed = node.propose(waiting.map((pending) => pending.command));
    if (proposed.kind === "accepted") {
      proposals.handedOn(waiting, term);
      return;
    }
    if (proposed.because === "uncommittedLimit") {
      for (const pending of waiting) proposals.rejectOverloaded(pending.sequence);
      return;
    }
    proposals.putBack(waiting);
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
    this.#apply(ready.committed);
    for (const context of ready.droppedReads) reads.dropped(context);
    for (const state of ready.readStates) reads.confirmed(state, logIndex(store.appliedIndex));
  }

  #apply(committed: Ready["committed"]): void {
    const last = committed.at(-1);
    if (last === undefined) return;
    const { store, proposals, reads, proposer } = this.#deps;
    for (const entry of committed) {
      if (entry.kind === "command") {
        const { id, result } = store.apply(entry.index, entry.term, entry.data);
        if (id.proposer === proposer) proposals.applied(id.sequence, result);
      } else {
        store.skip(entry.index, entry.term);
      }
      if (entry.term > this.#appliedTerm) {
        this.#appliedTerm = entry.term;
        proposals.termApplied(entry.term);
      }
    }
    reads.applied(last.index);
  }

  /** The core gives no batch while one is being written. */
  #write(batch: PersistBatch | undefined): void {
    if (batch === undefined) return;
    const { storage, node } = this.#deps;
    this.#writing = true;
    storage.append(batch).then(
      () => {
        this.#writing = false;
        node.persisted(batch.id);
        this.#outbox.messages(batch.thenSend);
        this.#guardedTurn();
      },
      (error: unknown) => {
        this.#fail(error);
      },
    );
  }

  get #stateMachine(): StateMachine {
    return this.#deps.store.unsavedBytes < 4 * saveBytes ? "open" : "full";
  }

  #saveSoon(): void {
    const { store, clock } = this.#deps;
    if (this.#saving || !store.hasChanges()) return;
    if (store.unsavedBytes >= saveBytes) this.#save();
    else
      this.#cancelSave ??= clock.after(saveAfterMs, () => {
        this.#save();
      });
  }

  /** Whatever was applied is durable in the log, so this needs to wait for nothing. */
  #save(): void {
    const { storage, store } = this.#deps;
    this.#cancelSave?.();
    this.#cancelSave = undefined;
    if (this.#saving || this.#stopped || !store.hasChanges()) return;
    this.#saving = true;
    storage.save(store.takeChanges()).then(
      () => {
        this.#saving = false;
        store.persisted();
        this.#guardedTurn();
      },
      (error: unknown) => {
        this.#fail(error);
      },
    );
  }

  #leadershipChanged(now: SoftState): void {
    const before = this.#softState;
    this.#softState = now;
    if (before.leader === now.leader && before.role === now.role) return;
    const { leader, role, term } = now;
    const text = leader === undefined ? "no leader" : role === "leader" ? "leading" : "following";
    this.#deps.logger.info({ role, term, leader: leader?.toString(16) }, text);
  }

  #expire(): void {
    const { proposals, reads, clock, describeQuorum } = this.#deps;
    const nowMs = clock.nowMs();
    proposals.expire(nowMs, describeQuorum);
    reads.expire(nowMs, describeQuorum);
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
