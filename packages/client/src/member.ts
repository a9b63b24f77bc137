import type { MemberCalls } from "./calls.ts";
import { Connection } from "./connection.ts";
import { type Endpoint, formatEndpoint } from "./endpoints.ts";
import type { User } from "./options.ts";
import type { TlsOptions } from "./tls.ts";

export interface DoorOptions {
  readonly tls: TlsOptions | undefined;
  /** On whose behalf. */
  readonly user: User | undefined;
}

/** One member, as seen from here. */
export class MemberDoor {
  readonly #connection: Connection;
  readonly #user: User | undefined;
  #calls: MemberCalls | undefined;

  constructor(endpoint: Endpoint, { tls, user }: DoorOptions) {
    this.#user = user;
    this.#connection = new Connection(endpoint, tls);
  }

  /** What can be asked of it, once it is connected. @throws as {@link Connection.open} */
  async open(signal: AbortSignal): Promise<MemberCalls> {
    const [{ createCalls }] = await Promise.all([import("./calls.ts"), this.#connection.open(signal)]);
    this.#calls ??= createCalls(this.#connection, this.#user);
    return this.#calls;
  }

  /** It went silent: the next request makes a new connection. */
  distrust(): void {
    this.#connection.retire();
  }

  close(): void {
    this.#connection.close();
  }
}

/** The doors in use, one for each endpoint. */
export class MemberDoors {
  readonly #options: DoorOptions;
  readonly #doors = new Map<string, MemberDoor>();

  constructor(options: DoorOptions) {
    this.#options = options;
  }

  at(endpoint: Endpoint): MemberDoor {
    const name = formatEndpoint(endpoint);
    const known = this.#doors.get(name);
    if (known !== undefined) return known;
    const door = new MemberDoor(endpoint, this.#options);
    this.#doors.set(name, door);
    return door;
  }

  close(): void {
    for (const door of this.#doors.values()) door.close();
  }
}
