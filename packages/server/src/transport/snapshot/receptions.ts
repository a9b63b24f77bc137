/** Snapshots that peers send to this member: one at a time. */
import type { NodeId, Term } from "@dkv/raft";
import type { SnapshotConnection } from "../inbound-connection.ts";
import type { PeerRecord } from "../peer-record.ts";
import { type Admission, Reception, type ReceptionDeps } from "./reception.ts";

/** The one whose offer was taken up last. */
interface Current {
  readonly reception: Reception;
  readonly term: Term;
}

export type ReceptionsDeps = Omit<ReceptionDeps, "admit" | "onAccepted">;

export class Receptions {
  readonly #deps: ReceptionsDeps;
  /** The newest connection from each peer. */
  readonly #connections = new Map<NodeId, Reception>();
  #current: Current | undefined;
  /** Of the offers that were taken up. Those of an earlier term come from leaders that are none any more. */
  #latestTerm = 0;
  /** Those with something open, perhaps: also if the connection is gone. */
  readonly #open = new Set<Reception>();
  /** Resolves when nothing is open of what was received so far. */
  #allClosed: Promise<void> = Promise.resolve();

  constructor(deps: ReceptionsDeps) {
    this.#deps = deps;
  }

  /** A peer has connected to send a snapshot. If it had before, that connection is dead. */
  add(peer: PeerRecord, connection: SnapshotConnection): void {
    const { id } = peer.address;
    this.#connections.get(id)?.cut("the peer has connected again");
    const reception: Reception = new Reception(peer, connection, {
      ...this.#deps,
      admit: (term) => this.#admit(reception, term),
      onAccepted: (term) => {
        this.#latestTerm = Math.max(term, this.#latestTerm);
      },
    });
    this.#connections.set(id, reception);
    connection.socket.once("close", () => {
      if (this.#connections.get(id) === reception) this.#connections.delete(id);
    });
    reception.start();
  }

  /** To be called every `pingMs`. */
  beat(nowMs: number): void {
    for (const reception of this.#connections.values()) reception.beat(nowMs);
  }

  disconnect(id: NodeId, reason: string): void {
    this.#connections.get(id)?.cut(reason);
  }

  /** Resolves when nothing is written any more. */
  async close(): Promise<void> {
    for (const reception of this.#connections.values()) reception.stop();
    for (const reception of this.#open) reception.interrupt();
    await this.#allClosed;
  }

  /** Decides whether an offer is taken up; the one before then has to give way. */
  #admit(next: Reception, term: Term): Admission {
    if (term < this.#latestTerm)
      return { kind: "refuse", reason: "a leader of a later term has sent a snapshot" };
    const current = this.#current;
    if (current !== undefined && !current.reception.isOver && current.reception.from !== next.from) {
      if (term === current.term)
        return { kind: "refuse", reason: "another member is sending a snapshot in this term" };
      current.reception.refuse("a leader of a later term sends a snapshot");
    }
    const before = this.#allClosed;
    this.#current = { reception: next, term };
    void this.#keepOpen(next);
    this.#allClosed = before.then(() => next.closed);
    return { kind: "admit", before };
  }

  /** Until it is closed. */
  async #keepOpen(reception: Reception): Promise<void> {
    this.#open.add(reception);
    await reception.closed;
    this.#open.delete(reception);
  }
}
