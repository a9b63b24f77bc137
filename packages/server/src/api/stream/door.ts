/** Serves one protocol on all connections of a port. */
import type { Socket } from "node:net";
import type { Logger } from "pino";
import type { Member } from "../../consensus/member.ts";
import type { Cancel, Clock } from "../../platform/clock.ts";
import { StreamConnection } from "./connection.ts";
import { LeaderWatch } from "./leadership.ts";
import type { StreamProtocol } from "./protocol.ts";
import type { StreamRooms } from "./room.ts";

/** What one connection may have of a member. */
export interface StreamLimits {
  /** Commands that were read and are not answered. Above, nothing more is read. */
  readonly commands: number;
  /** Bytes of those. One may have more. */
  readonly commandBytes: number;
  /** Answers handed to the socket at once. One may have more. */
  readonly writeBytes: number;
  /** The rest of a request has to come within this time, or the connection ends. */
  readonly partTimeoutMs: number;
  /** A client that takes none of its answers for so long is cut off. */
  readonly answerTimeoutMs: number;
  /** The same, while requests or answers of all connections have little room left. */
  readonly crowdedAnswerTimeoutMs: number;
  /** A client that has had its last answer is waited for so long to end its side. */
  readonly lingerMs: number;
}

const mebibyte = 1024 * 1024;

export const streamLimits: StreamLimits = {
  commands: 1024,
  commandBytes: 4 * mebibyte,
  writeBytes: mebibyte,
  partTimeoutMs: 60_000,
  answerTimeoutMs: 60_000,
  crowdedAnswerTimeoutMs: 5_000,
  lingerMs: 5_000,
};

export interface StreamDoorDeps {
  readonly member: Member;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly rooms: StreamRooms;
}

/** How often it is looked who leads, and who takes too long. */
const lookEveryMs = 100;

export class StreamDoor<Request> {
  readonly #protocol: StreamProtocol<Request>;
  readonly #limits: StreamLimits;
  readonly #deps: StreamDoorDeps;
  readonly #leader: LeaderWatch;
  readonly #connections = new Set<StreamConnection<Request>>();
  #cancelLooks: Cancel | undefined;

  constructor(protocol: StreamProtocol<Request>, deps: StreamDoorDeps, limits: StreamLimits = streamLimits) {
    this.#protocol = protocol;
    this.#limits = limits;
    this.#deps = deps;
    this.#leader = new LeaderWatch(deps.member, deps.clock);
  }

  /** Serves a connection that has said nothing yet, and lets its client end its side before it is answered. */
  serve(socket: Socket): StreamConnection<Request> {
    const { clock } = this.#deps;
    const connection = new StreamConnection(socket, {
      ...this.#deps,
      protocol: this.#protocol,
      limits: this.#limits,
      leader: this.#leader,
    });
    this.#connections.add(connection);
    this.#cancelLooks ??= clock.every(lookEveryMs, () => {
      this.#look();
    });
    socket.once("close", () => {
      this.#connections.delete(connection);
      if (this.#connections.size > 0) return;
      this.#cancelLooks?.();
      this.#cancelLooks = undefined;
    });
    return connection;
  }

  #look(): void {
    const nowMs = this.#deps.clock.nowMs();
    const { leadership } = this.#leader.look();
    for (const connection of this.#connections) {
      connection.look(leadership, nowMs);
    }
  }
}
