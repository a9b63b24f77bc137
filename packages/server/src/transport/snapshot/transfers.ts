/** Snapshots that this member sends: at most one to each peer. */
import type { NodeId, Term } from "@dkv/raft";
import type { LinkDeps } from "../outbound-link.ts";
import { defaultSnapshotBytesPerSecond, type TransportOptions } from "../options.ts";
import type { PeerRecord } from "../peer-record.ts";
import { Pace } from "./pace.ts";
import type { Snapshot, SnapshotOutcome, SnapshotTransfer } from "./snapshot.ts";
import { Transfer } from "./transfer.ts";

export class Transfers {
  readonly #options: TransportOptions;
  readonly #deps: LinkDeps;
  readonly #pace: Pace;
  /** The newest one to each peer. */
  readonly #newest = new Map<NodeId, Transfer>();
  /** All that are not done, also those that were cancelled. */
  readonly #pending = new Set<Promise<SnapshotOutcome>>();

  constructor(options: TransportOptions, deps: LinkDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#pace = new Pace(options.snapshotBytesPerSecond ?? defaultSnapshotBytesPerSecond, deps.clock);
  }

  /** Undefined for somebody who is no peer. */
  begin(peer: PeerRecord | undefined, snapshot: Snapshot, term: Term): SnapshotTransfer {
    if (peer === undefined) {
      const outcome: SnapshotOutcome = { kind: "gaveUp", reason: "it is no member of the cluster" };
      return { done: Promise.resolve(outcome), cancel: () => undefined };
    }
    const { id } = peer.address;
    this.#newest.get(id)?.cancel();
    const transfer = new Transfer(
      peer,
      { snapshot, term },
      {
        ...this.#deps,
        options: this.#options,
        pace: this.#pace,
      },
    );
    this.#newest.set(id, transfer);
    this.#pending.add(transfer.done);
    void transfer.done.then(() => {
      this.#pending.delete(transfer.done);
      if (this.#newest.get(id) === transfer) this.#newest.delete(id);
    });
    return transfer;
  }

  /** To be called every `pingMs`. */
  beat(nowMs: number): void {
    for (const transfer of this.#newest.values()) transfer.beat(nowMs);
  }

  cancel(to: NodeId): void {
    this.#newest.get(to)?.cancel();
  }

  /** Resolves when no snapshot is read any more. */
  async close(): Promise<void> {
    for (const transfer of this.#newest.values()) transfer.cancel();
    await Promise.all(this.#pending);
  }
}
