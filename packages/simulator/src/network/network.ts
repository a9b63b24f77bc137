/** The network as a whole: who listens where, which connections there are, and how they fare. */
import type { Life } from "../world/life.ts";
import type { Prng } from "../world/random.ts";
import type { World } from "../world/world.ts";
import { type Conditions } from "./conditions.ts";
import type { SimServer } from "./server.ts";
import type { SimSocket } from "./socket.ts";

/** How often a connection that stands still is looked at: TCP tries again after some time, too. */
const retransmitUs = 20_000;

export class Network {
  readonly world: World;
  readonly conditions: Conditions;
  readonly random: Prng;
  readonly #servers = new Map<number, SimServer>();
  readonly #sockets = new Set<SimSocket>();
  readonly #down = new Set<number>();
  #lastPort = 40_000;

  constructor(world: World, conditions: Conditions, random: Prng) {
    this.world = world;
    this.conditions = conditions;
    this.random = random;
  }

  /** The process on whose behalf something is asked for. */
  get caller(): Life {
    const { current } = this.world;
    if (current === undefined) throw new Error("only a process can use the network");
    return current;
  }

  nextPort(): number {
    this.#lastPort += 1;
    return this.#lastPort;
  }

  listen(port: number, server: SimServer): boolean {
    if (this.#servers.has(port)) return false;
    this.#servers.set(port, server);
    return true;
  }

  serverAt(port: number): SimServer | undefined {
    return this.#servers.get(port);
  }

  forget(port: number, server: SimServer): void {
    if (this.#servers.get(port) === server) this.#servers.delete(port);
  }

  opened(socket: SimSocket): void {
    this.#sockets.add(socket);
  }

  closed(socket: SimSocket): void {
    this.#sockets.delete(socket);
  }

  /** A machine may be up without a process on it. */
  isUp(machine: number): boolean {
    return !this.#down.has(machine);
  }

  /** The machine has lost its power, or got it back. */
  setPower(machine: number, isOn: boolean): void {
    if (isOn) this.#down.delete(machine);
    else this.#down.add(machine);
  }

  /** Written to any one connection, and not taken by the other side. */
  get mostQueuedBytes(): number {
    return Math.max(0, ...Array.from(this.#sockets, ({ writableLength }) => writableLength));
  }

  /** Connections between two machines. */
  between(a: number, b: number): readonly SimSocket[] {
    return [...this.#sockets].filter(
      ({ life, remote }) => life.machine === a && remote?.life.machine === b && !life.isOver,
    );
  }

  /**
   * The process is gone. Its system says so to the other ends, unless it went down with it: then they find
   * out on their own.
   */
  ended(life: Life, withWord: boolean): void {
    for (const [port, server] of this.#servers) if (server.life === life) this.#servers.delete(port);
    for (const socket of this.#sockets) if (socket.life === life) socket.abandon(withWord);
  }

  /** Calls when the direction is open, at once if it is. */
  whenOpen(from: number, to: number, go: () => void): void {
    if (!this.conditions.isBlocked(from, to)) {
      go();
      return;
    }
    this.world.probes.reached("chunk held by a partition");
    this.world.after(retransmitUs, "socket", () => {
      this.whenOpen(from, to, go);
    });
  }
}
