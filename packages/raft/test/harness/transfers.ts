import type { NodeId, Term } from "../../src/types.ts";
import type { SnapshotContent } from "./disk.ts";

/** A snapshot on its way, beside the messages. It may arrive more than once. */
export interface Transfer extends SnapshotContent {
  readonly from: NodeId;
  readonly to: NodeId;
  /** In which `from` led when it took the snapshot. */
  readonly term: Term;
}

/** What a leader has asked for. */
export interface Wish {
  readonly from: NodeId;
  readonly to: NodeId;
}

/** Snapshots that are wanted, and those on their way. */
export class Transfers {
  #wishes: Wish[] = [];
  readonly #onTheirWay: Transfer[] = [];

  get wishes(): readonly Wish[] {
    return this.#wishes;
  }

  get onTheirWay(): readonly Transfer[] {
    return this.#onTheirWay;
  }

  /** A leader wants a snapshot to be sent. */
  want(wish: Wish): void {
    this.#wishes.push(wish);
  }

  /** Takes the wish at a position; undefined if there are none. */
  takeWish(position: number): Wish | undefined {
    return this.#wishes.splice(position % Math.max(this.#wishes.length, 1), 1)[0];
  }

  send(transfer: Transfer): void {
    this.#onTheirWay.push(transfer);
  }

  /** Takes the oldest from one node to another. */
  take(from: NodeId, to: NodeId): Transfer | undefined {
    const position = this.#onTheirWay.findIndex((one) => one.from === from && one.to === to);
    return position === -1 ? undefined : this.takeAt(position);
  }

  /** Takes the one at a position among all on their way; undefined if there are none. */
  takeAt(position: number): Transfer | undefined {
    return this.#onTheirWay.splice(position % Math.max(this.#onTheirWay.length, 1), 1)[0];
  }

  /** What a process wanted to send is forgotten with it. */
  crashed(from: NodeId): void {
    this.#wishes = this.#wishes.filter((wish) => wish.from !== from);
  }
}
