/** A network inside one process, whose links a test can cut or bend. Frames arrive in order, a turn later. */
import type { NodeId } from "@dkv/raft";
import type { PeerEvents, PeerFrame, PeerTransport } from "../../src/transport/peer-transport.ts";

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

  /** The transport of one member. */
  port(id: NodeId): PeerTransport {
    return {
      start: (events) => {
        this.#ports.set(id, events);
        return Promise.resolve();
      },
      send: (to, frame) => this.#send({ from: id, to, frame }),
      peers: () => [],
      close: () => {
        this.#ports.delete(id);
        return Promise.resolve();
      },
    };
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
    setImmediate(() => this.#ports.get(to)?.onFrame(from, frame));
  }

  /** Lets everything arrive that was held. */
  release(): void {
    for (const passage of this.held.splice(0)) this.deliver(passage);
  }

  #send(passage: Passage): boolean {
    if (this.#cut.has(passage.from) || this.#cut.has(passage.to)) return true;
    const fate = this.rule(passage);
    if (fate === "hold") this.held.push(passage);
    if (fate === "pass") this.deliver(passage);
    return fate !== "refuse";
  }
}
