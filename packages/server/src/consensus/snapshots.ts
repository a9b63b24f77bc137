/**
 * Snapshots on their way: out, to followers that need what our log has dropped, and in.
 *
 *   the core asks ─▶ view of the state ─▶ transfer ─┬─▶ complete: the follower acknowledges to the core
 *                                                   └─▶ failed: the core probes again, and may ask again
 *
 *   an offer ─▶ a generation beside ours ─▶ complete ─▶ the core: a batch with it ─▶ the storage switches
 */
import { type LogIndex, minIndex, type NodeId, type RaftNode, type Term } from "@dkv/raft";
import type { SnapshotHeader } from "@dkv/snapshot";
import type { Logger } from "pino";
import type { Clock } from "../platform/clock.ts";
import type { Storage } from "../storage/storage.ts";
import type { PeerTransport } from "../transport/peer-transport.ts";
import type { SnapshotOutcome, SnapshotReception, SnapshotTransfer } from "../transport/snapshot/snapshot.ts";
import type { Guard } from "./guard.ts";

/** A failed transfer is not begun anew at once. */
const retryMs = 1000;

/**
 * A follower that has all of a snapshot has checked it, and needs but a moment to switch to it. One that has not
 * said so by then is asked what it needs.
 */
const installMs = 2000;

export interface SnapshotsDeps {
  readonly node: RaftNode;
  readonly storage: Storage;
  readonly transport: PeerTransport;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly guard: Guard;
  readonly schedule: () => void;
  readonly nameOf: (id: NodeId) => string;
  /** Whether the state of this member is known to be wrong. */
  readonly isCorrupt: () => boolean;
}

interface Sending {
  readonly to: NodeId;
  readonly last: LogIndex;
  readonly transfer: SnapshotTransfer;
}

export class Snapshots {
  readonly #deps: SnapshotsDeps;
  readonly #queue: NodeId[] = [];
  /** One at a time: each reads the whole state. */
  #sending: Sending | undefined;
  #isBusy = false;
  /** A follower that has all of a snapshot, and is about to go on from there. */
  #settling: { readonly to: NodeId; readonly last: LogIndex } | undefined;
  #stopped = false;

  constructor(deps: SnapshotsDeps) {
    this.#deps = deps;
  }

  /**
   * The log is needed from behind this index on, by a follower that gets a snapshot; undefined if by none.
   */
  get keepAfter(): LogIndex | undefined {
    const { followers } = this.#deps.node.status();
    const settling = this.#settling;
    if (settling !== undefined && followers.get(settling.to)?.state !== "snapshot")
      this.#settling = undefined;
    const needed = [this.#sending, this.#settling].filter((one) => one !== undefined);
    return needed.map(({ last }) => last).reduce<LogIndex | undefined>(lower, undefined);
  }

  /** The core needs these to get a snapshot. */
  needed(followers: readonly NodeId[]): void {
    for (const to of followers) if (!this.#queue.includes(to)) this.#queue.push(to);
    this.#next();
  }

  /** This member leads no more: others will send what is needed. */
  leadershipLost(): void {
    this.#queue.length = 0;
    this.#sending?.transfer.cancel();
  }

  /** A leader wants to send one. */
  async offered(from: NodeId, term: Term, header: SnapshotHeader): Promise<SnapshotReception> {
    const { node, storage, logger, nameOf } = this.#deps;
    const reason = this.#reasonToRefuse(term, header);
    if (reason !== undefined) return { kind: "refuse", reason };
    const incoming = await storage.receiveSnapshot(header);
    logger.info(
      { from: nameOf(from), index: header.last.index, have: node.status().commit, chunks: incoming.received },
      "receiving a snapshot",
    );
    return { kind: "receive", incoming };
  }

  /** All of it is on our disk. */
  completed(from: NodeId, term: Term, { last, configuration }: SnapshotHeader): void {
    const { node, guard, logger, schedule, nameOf } = this.#deps;
    guard.run(() => {
      const isTaken = node.snapshotReceived({ from, term, last, configuration });
      logger.info({ from: nameOf(from), index: last.index, taken: isTaken }, "received a snapshot");
    });
    schedule();
  }

  stop(): void {
    this.#stopped = true;
    this.leadershipLost();
  }

  #reasonToRefuse(term: Term, { clusterId, last }: SnapshotHeader): string | undefined {
    const { node, storage } = this.#deps;
    const status = node.status();
    if (this.#stopped) return "this member is stopping";
    if (clusterId !== storage.identity.clusterId) return "it is a snapshot of another cluster";
    if (term < status.term) return "its sender leads no more";
    if (last.index <= status.commit) return "this member has all that is in it";
    return undefined;
  }

  #next(): void {
    if (this.#isBusy || this.#stopped) return;
    const to = this.#queue.shift();
    if (to === undefined) return;
    this.#isBusy = true;
    void this.#send(to).then(
      (outcome) => {
        this.#isBusy = false;
        this.#sent(to, outcome);
        this.#next();
      },
      (error: unknown) => {
        // The state could not be read: what the disk holds is not what was written.
        this.#deps.guard.fail(error);
      },
    );
  }

  async #send(to: NodeId): Promise<SnapshotOutcome> {
    const { node, storage, transport, logger, nameOf, isCorrupt } = this.#deps;
    // What is wrong here must not become wrong there.
    if (isCorrupt()) return { kind: "gaveUp", reason: "the state of this member differs from the others'" };
    const { term } = node.status();
    const snapshot = storage.takeSnapshot();
    try {
      const { last } = snapshot.header;
      logger.info({ to: nameOf(to), index: last.index }, "sending a snapshot");
      this.#sending = { to, last: last.index, transfer: transport.sendSnapshot(to, snapshot, term) };
      const outcome = await this.#sending.transfer.done;
      this.#settling = outcome.kind === "complete" ? { to, last: last.index } : undefined;
      return outcome;
    } finally {
      this.#sending = undefined;
      await snapshot.close();
    }
  }

  #sent(to: NodeId, outcome: SnapshotOutcome): void {
    const { clock, node, logger, schedule, guard, nameOf } = this.#deps;
    const isComplete = outcome.kind === "complete";
    logger[isComplete ? "info" : "warn"]({ to: nameOf(to), ...outcome }, "a snapshot was sent");
    const settled = this.#settling;
    clock.after(isComplete ? installMs : retryMs, () => {
      if (this.#settling === settled) this.#settling = undefined;
      guard.run(() => {
        node.snapshotFailed(to);
      });
      schedule();
    });
  }
}

function lower(a: LogIndex | undefined, b: LogIndex): LogIndex {
  return a === undefined ? b : minIndex(a, b);
}
