/**
 * Snapshots on their way: out, to followers that need what our log has dropped, and in.
 *
 *   the core asks ─▶ view of the state ─▶ transfer ─┬─▶ complete: the follower acknowledges to the core
 *                                                   └─▶ failed: the core probes again, and may ask again
 *
 *   an offer ─▶ a generation beside ours ─▶ complete ─▶ the core: a batch with it ─▶ the storage switches
 */
import { type EntryId, type LogIndex, minIndex, type NodeId, type RaftNode, type Term } from "@dkv/raft";
import type { SnapshotHeader } from "@dkv/snapshot";
import type { Logger } from "pino";
import type { Cancel, Clock } from "../platform/clock.ts";
import type { Storage } from "../storage/storage.ts";
import type { PeerTransport } from "../transport/peer-transport.ts";
import type { SnapshotOutcome, SnapshotReception, SnapshotTransfer } from "../transport/snapshot/snapshot.ts";
import type { DiskReserve } from "./disk-reserve.ts";
import type { Guard } from "./guard.ts";

/** A failed transfer is not begun anew at once. */
const retryMs = 1000;

/** Nor sooner than this when there is no hope that the next one fares better. */
const hopelessRetryMs = 30_000;

/** Why a follower refuses one whose disk is nearly full. Leaders know it by these words. */
const noRoom = "its disk is nearly full: make room on it";

/**
 * A follower that has all of a snapshot has checked it, and needs but a moment to switch to it. One that has
 * not said so by then is asked what it needs.
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
  /** Of the disk that snapshots are received on. */
  readonly reserve: Pick<DiskReserve, "state">;
  /** Whether the state of this member is known to be wrong. */
  readonly isCorrupt: () => boolean;
}

interface Sending {
  readonly to: NodeId;
  readonly last: LogIndex;
  readonly transfer: SnapshotTransfer;
}

/** A follower whose transfer is over, until the core is told so. */
interface Waiting {
  /** It has everything up to here, and is about to go on behind it; undefined if the transfer failed. */
  readonly last: LogIndex | undefined;
  readonly cancel: Cancel;
}

/** `corrupt` was not begun: what is wrong here must not become wrong there. */
type Outcome = SnapshotOutcome | { readonly kind: "corrupt"; readonly reason: string };

/** After which another one may follow. */
type Ended = Exclude<Outcome, { kind: "unreadable" }>;

export class Snapshots {
  readonly #deps: SnapshotsDeps;
  readonly #queue: NodeId[] = [];
  /** One at a time: each reads the whole state. */
  #sending: Sending | undefined;
  #isBusy = false;
  readonly #waiting = new Map<NodeId, Waiting>();
  /** Why the last transfer to each follower failed. */
  readonly #failures = new Map<NodeId, string>();
  #stopped = false;
  /** What the core took, and what was installed of it perhaps. */
  #taken: readonly EntryId[] = [];

  constructor(deps: SnapshotsDeps) {
    this.#deps = deps;
  }

  /**
   * The log is needed from behind this index on: by a follower that gets a snapshot, and then has to catch up
   * with what was written meanwhile, or by one that is on its way for another reason. Undefined if by none.
   */
  get keepAfter(): LogIndex | undefined {
    let least = this.#sending?.last;
    for (const [id, { state, match, recentlyActive }] of this.#deps.node.status().followers) {
      if (!recentlyActive) continue;
      const last = state === "replicate" ? match : this.#waiting.get(id)?.last;
      if (last !== undefined) least = lower(least, last);
    }
    return least;
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
    for (const { cancel } of this.#waiting.values()) cancel();
    this.#waiting.clear();
    this.#failures.clear();
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
  completed(from: NodeId, term: Term, header: SnapshotHeader): void {
    const { node, guard, logger, schedule, nameOf } = this.#deps;
    const { last, configuration } = header;
    guard.run(() => {
      const isTaken = node.snapshotReceived({ from, term, last, configuration });
      logger.info({ from: nameOf(from), index: last.index, taken: isTaken }, "received a snapshot");
      if (isTaken) this.#taken = [...this.#notInstalled(), last];
      else if (!this.#notInstalled().some(({ index }) => index === last.index)) this.#drop(header);
    });
    schedule();
  }

  /** Of those that the core took, the ones that the storage has yet to switch to. */
  #notInstalled(): readonly EntryId[] {
    const { log } = this.#deps.storage;
    return this.#taken.filter(({ index }) => index >= log.firstIndex);
  }

  #drop(header: SnapshotHeader): void {
    const { storage, logger } = this.#deps;
    storage.dropReceived(header).catch((error: unknown) => {
      logger.warn(
        { index: header.last.index, err: error },
        "a snapshot that is not needed could not be deleted",
      );
    });
  }

  stop(): void {
    this.#stopped = true;
    this.leadershipLost();
  }

  #reasonToRefuse(term: Term, { clusterId, last }: SnapshotHeader): string | undefined {
    const { node, storage, reserve } = this.#deps;
    const status = node.status();
    if (this.#stopped) return "this member is stopping";
    if (clusterId !== storage.identity.clusterId) return "it is a snapshot of another cluster";
    if (term < status.term) return "its sender leads no more";
    if (last.index <= status.commit) return "this member has all that is in it";
    if (reserve.state === "low") return noRoom;
    return undefined;
  }

  #next(): void {
    if (this.#queue.length === 0 || this.#isBusy || this.#stopped) return;
    const to = this.#takeNext();
    if (to === undefined) return;
    this.#isBusy = true;
    void this.#send(to).then(
      (outcome) => {
        // What the disk holds is not what was written: trying again would not help.
        if (outcome.kind === "unreadable") {
          this.#deps.guard.fail(outcome.error);
          return;
        }
        const last = outcome.kind === "complete" ? this.#sending?.last : undefined;
        this.#sending = undefined;
        this.#isBusy = false;
        this.#sent(to, outcome, last);
        this.#next();
      },
      (error: unknown) => {
        this.#deps.guard.fail(error);
      },
    );
  }

  /** Voters first: the cluster counts on them. */
  #takeNext(): NodeId | undefined {
    const { learners } = this.#deps.node.status().configuration.configuration;
    const voter = this.#queue.findIndex((id) => !learners.includes(id));
    return this.#queue.splice(Math.max(0, voter), 1)[0];
  }

  async #send(to: NodeId): Promise<Outcome> {
    const { node, storage, transport, logger, nameOf, isCorrupt } = this.#deps;
    this.#waiting.get(to)?.cancel();
    this.#waiting.delete(to);
    const { role, term } = node.status();
    if (role !== "leader") return { kind: "cancelled" };
    if (isCorrupt()) return { kind: "corrupt", reason: "the state of this member differs from the others'" };
    const snapshot = storage.takeSnapshot();
    try {
      const { last } = snapshot.header;
      logger.info({ to: nameOf(to), index: last.index }, "sending a snapshot");
      this.#sending = { to, last: last.index, transfer: transport.sendSnapshot(to, snapshot, term) };
      return await this.#sending.transfer.done;
    } finally {
      await snapshot.close();
    }
  }

  /** @param last up to where the follower has everything now; undefined if the transfer failed */
  #sent(to: NodeId, outcome: Ended, last: LogIndex | undefined): void {
    const { clock, node, logger, schedule, guard, nameOf } = this.#deps;
    if (outcome.kind === "cancelled") {
      logger.info({ to: nameOf(to) }, "a snapshot is sent no further: this member does not lead");
      return;
    }
    const delayMs = outcome.kind === "complete" ? this.#succeeded(to) : this.#failed(to, outcome);
    const cancel = clock.after(delayMs, () => {
      this.#waiting.delete(to);
      guard.run(() => {
        node.snapshotFailed(to);
      });
      schedule();
    });
    this.#waiting.set(to, { last, cancel });
  }

  /** Returns after how many milliseconds the follower is asked what it needs. */
  #succeeded(to: NodeId): number {
    const { logger, nameOf } = this.#deps;
    this.#failures.delete(to);
    logger.info({ to: nameOf(to) }, "a snapshot was sent");
    return installMs;
  }

  /** Returns after how many milliseconds it is worth trying again. */
  #failed(to: NodeId, { kind, reason }: Exclude<Ended, { kind: "complete" | "cancelled" }>): number {
    const { logger, nameOf } = this.#deps;
    const isRepeated = this.#failures.get(to) === reason;
    this.#failures.set(to, reason);
    const level = isRepeated && kind === "corrupt" ? "debug" : "warn";
    logger[level]({ to: nameOf(to), kind, reason }, "a snapshot could not be sent, and will be sent again");
    if (kind !== "refused") return retryMs;
    return isRepeated || reason === noRoom ? hopelessRetryMs : retryMs;
  }
}

function lower(a: LogIndex | undefined, b: LogIndex): LogIndex {
  return a === undefined ? b : minIndex(a, b);
}
