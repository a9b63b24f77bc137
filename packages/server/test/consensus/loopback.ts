/** A network inside one process, whose links a test can cut. Frames arrive in order, a turn later. */
import type { NodeId } from "@dkv/raft";
import type { PeerEvents, PeerFrame, PeerTransport } from "../../src/transport/peer-transport.ts";

export class Loopback {
  readonly #ports = new Map<NodeId, PeerEvents>();
  readonly #cut = new Set<NodeId>();

  /** The transport of one member. */
  port(id: NodeId): PeerTransport {
    return {
      start: (events) => {
        this.#ports.set(id, events);
        return Promise.resolve();
      },
      send: (to, frame) => {
        this.#deliver(id, to, frame);
      },
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

  #deliver(from: NodeId, to: NodeId, frame: PeerFrame): void {
    if (this.#cut.has(from) || this.#cut.has(to)) return;
    setImmediate(() => this.#ports.get(to)?.onFrame(from, frame));
  }
}
