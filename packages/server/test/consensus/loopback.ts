/** A network inside one process, whose links a test can cut or bend. Frames arrive in order, a turn later. */
import type { NodeId, Term } from "@dkv/raft";
import type { PeerEvents, PeerFrame, PeerStatus, PeerTransport } from "../../src/transport/peer-transport.ts";
import type { PeerAddress } from "../../src/transport/options.ts";
import type { Snapshot, SnapshotOutcome } from "../../src/transport/snapshot/snapshot.ts";
import { systemClock } from "../../src/platform/clock.ts";

export interface Passage {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly frame: PeerFrame;
}

/** `lose` is a frame that was sent and never arrives, `refuse` one that the link does not take. */
export type Fate = "pass" | "lose" | "refuse" | "hold";

export class Loopback {
  readonly #ports = new Map<NodeId, PeerEvents>();
  readonly #cut = new Set<NodeId>();
  /** Frames whose fate was `hold`. */
  readonly held: Passage[] = [];
  /** Decides about every frame. */
  rule: (passage: Passage) => Fate = () => "pass";

  /** Snapshots that arrived as a whole. */
  snapshots = 0;
  /** So many transfers of snapshots fail, from now on. */
  failingSnapshots = 0;
  /** What transfers of snapshots find wrong with the state that they read. */
  unreadable: Error | undefined;
  /** Transfers of snapshots stand still until they are cancelled. */
  holdsSnapshots = false;
  /** Transfers that stand still. */
  heldSnapshots = 0;
  /** When each member was heard last by each other one. */
  readonly #heard = new Map<string, number>();

  /** The transport of one member. */
  port(id: NodeId): PeerTransport {
    let known: readonly PeerAddress[] = [];
    return {
      start: (events) => {
        this.#ports.set(id, events);
        return Promise.resolve();
      },
      send: (to, frame) => known.some((peer) => peer.id === to) && this.#send({ from: id, to, frame }),
      setPeers: (peers) => {
        known = peers.filter((peer) => peer.id !== id);
      },
      sendSnapshot: (to, snapshot, term) => {
        const { promise: cancelled, resolve } = Promise.withResolvers<SnapshotOutcome>();
        const cancel = (): void => {
          resolve({ kind: "cancelled" });
        };
        const done = this.#sendSnapshot({ from: id, to, term }, snapshot, cancelled);
        return { done, cancel };
      },
      peers: () => known.map((peer) => this.#status(peer, id)),
      close: () => {
        this.#ports.delete(id);
        return Promise.resolve();
      },
    };
  }

  /** Offers a snapshot as the leader of a term. */
  async offer(
    { from, to, term }: { readonly from: NodeId; readonly to: NodeId; readonly term: Term },
    header: Snapshot["header"],
  ): Promise<string> {
    const reception = await this.#ports.get(to)?.onSnapshot(from, term, header);
    return reception?.kind === "refuse" ? reception.reason : "received";
  }

  /** Nothing reaches or leaves the member until it is healed. */
  cut(id: NodeId): void {
    this.#cut.add(id);
  }

  heal(id: NodeId): void {
    this.#cut.delete(id);
  }

  /** Lets a frame arrive, whatever the rule says. */
  deliver({ from, to, frame }: Passage): void {
    setImmediate(() => {
      this.#heard.set(`${String(from)} by ${String(to)}`, systemClock.nowMs());
      this.#ports.get(to)?.onFrame(from, frame);
    });
  }

  /** Lets everything arrive that was held. */
  release(): void {
    for (const passage of this.held.splice(0)) this.deliver(passage);
  }

  #status(peer: PeerAddress, by: NodeId): PeerStatus {
    const lastHeardMs = this.#heard.get(`${String(peer.id)} by ${String(by)}`);
    const isConnected = !this.#cut.has(peer.id) && !this.#cut.has(by) && this.#ports.has(peer.id);
    const incarnation = isConnected ? peer.id : 0n;
    const told = { ownName: peer.name, clientAddress: "", clientUrls: [], version: "1.2.3", incarnation };
    return { ...peer, ...told, lastHeardMs, isConnected };
  }

  async #sendSnapshot(
    { from, to, term }: { readonly from: NodeId; readonly to: NodeId; readonly term: Term },
    snapshot: Snapshot,
    cancelled: Promise<SnapshotOutcome>,
  ): Promise<SnapshotOutcome> {
    if (this.failingSnapshots > 0) {
      this.failingSnapshots -= 1;
      return { kind: "gaveUp", reason: "the network fails" };
    }
    if (this.unreadable !== undefined) return { kind: "unreadable", error: this.unreadable };
    if (this.holdsSnapshots) {
      this.heldSnapshots += 1;
      return cancelled.finally(() => {
        this.heldSnapshots -= 1;
      });
    }
    const events = this.#ports.get(to);
    if (events === undefined || this.#cut.has(to)) return { kind: "gaveUp", reason: "nobody is there" };
    const reception = await events.onSnapshot(from, term, snapshot.header);
    if (reception.kind === "refuse") return { kind: "refused", reason: reception.reason };
    const { incoming } = reception;
    const content = snapshot.chunks(incoming.received);
    for (;;) {
      const next = await content.next();
      if (next.done !== true) await incoming.write(next.value);
      else {
        await incoming.finish(next.value);
        break;
      }
    }
    await incoming.close();
    this.snapshots += 1;
    events.onSnapshotComplete(from, term, snapshot.header);
    return { kind: "complete" };
  }

  #send(passage: Passage): boolean {
    if (this.#cut.has(passage.from) || this.#cut.has(passage.to)) return true;
    const fate = this.rule(passage);
    if (fate === "hold") this.held.push(passage);
    if (fate === "pass") this.deliver(passage);
    return fate !== "refuse";
  }
}
