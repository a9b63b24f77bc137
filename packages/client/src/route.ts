import { type Endpoint, formatEndpoint, parseAdvertised } from "./endpoints.ts";
import { nowMs } from "./platform/time.ts";
import type { Member } from "./results.ts";

/** How long a leader's address that cannot be reached from here is left alone. */
const avoidMs = 5000;

/**
 * Whom to ask, in which order.
 *
 * Reads go to the given endpoint that answered last. Writes go to the leader where its address is known
 * and can be reached from here, which saves a forwarding step; the given endpoints stand behind it.
 * Nothing depends on being right: every member takes every request.
 */
export class Route {
  readonly #given: readonly Endpoint[];
  readonly #avoidedUntilMs = new Map<string, number>();
  #preferred: Endpoint | undefined;
  #leaderName: string | undefined;
  #leader: Endpoint | undefined;
  #isStale = true;

  constructor(given: readonly Endpoint[]) {
    this.#given = given;
  }

  /** Whether a member should be asked who leads before the next write. */
  get isStale(): boolean {
    return this.#isStale;
  }

  /** Where the leader is reached, as far as known. */
  get leader(): Endpoint | undefined {
    return this.#leader;
  }

  forReads(): readonly Endpoint[] {
    return this.#startingWith(this.#preferred);
  }

  forWrites(): readonly Endpoint[] {
    return this.#startingWith(this.#leader ?? this.#preferred);
  }

  /** Takes note of a list of members. */
  learn(members: readonly Member[]): void {
    const leader = members.find(({ isLeader }) => isLeader);
    this.#isStale = leader === undefined;
    this.#leaderName = leader?.id;
    this.#leader = this.#reachable(leader?.rpcAddress);
  }

  /** Takes note of the leader that an answer named. */
  observe(leaderName: string | undefined): void {
    if (leaderName !== this.#leaderName) this.#isStale = true;
  }

  /** The leader may have changed. */
  doubt(): void {
    this.#isStale = true;
  }

  answered(endpoint: Endpoint): void {
    if (this.#given.some((given) => isSame(given, endpoint))) this.#preferred = endpoint;
  }

  /** No connection could be made there. */
  failed(endpoint: Endpoint): void {
    if (isSame(endpoint, this.#preferred)) this.#preferred = undefined;
    if (!isSame(endpoint, this.#leader)) return;
    this.#leader = undefined;
    this.#isStale = true;
    this.#avoidedUntilMs.set(formatEndpoint(endpoint), nowMs() + avoidMs);
  }

  #reachable(address: string | undefined): Endpoint | undefined {
    const endpoint = address === undefined ? undefined : parseAdvertised(address);
    if (endpoint === undefined) return undefined;
    const avoidedUntilMs = this.#avoidedUntilMs.get(formatEndpoint(endpoint));
    return avoidedUntilMs !== undefined && nowMs() < avoidedUntilMs ? undefined : endpoint;
  }

  #startingWith(first: Endpoint | undefined): readonly Endpoint[] {
    if (first === undefined) return this.#given;
    return [first, ...this.#given.filter((given) => !isSame(given, first))];
  }
}

export function isSame(one: Endpoint, other: Endpoint | undefined): boolean {
  return other !== undefined && one.host === other.host && one.port === other.port;
}
