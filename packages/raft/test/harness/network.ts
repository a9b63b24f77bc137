import type { Message } from "../../src/messages.ts";
import type { NodeId } from "../../src/types.ts";

/** Some messages: those that agree with every field given. */
export interface Pattern {
  readonly from?: NodeId | undefined;
  readonly to?: NodeId | undefined;
  readonly kind?: string | undefined;
}

export type Fate = "travels" | "held" | "lost";

/** A message on its way. The same message may be on its way twice. */
export interface Flight {
  readonly message: Message;
  isHeld: boolean;
}

export function fits(pattern: Pattern, { from, to, kind }: Message): boolean {
  return (
    (pattern.from === undefined || pattern.from === from) &&
    (pattern.to === undefined || pattern.to === to) &&
    (pattern.kind === undefined || pattern.kind === kind)
  );
}

/** Messages on their way, and a script that says which are lost and which must wait. */
export class Network {
  readonly #flights: Flight[] = [];
  #cuts: Pattern[] = [];
  #holds: Pattern[] = [];

  /** Everything on its way, in the order in which it was sent. */
  get flights(): readonly Flight[] {
    return this.#flights;
  }

  /** What a message sent now would meet. */
  #fateOf(message: Message): Fate {
    if (this.#cuts.some((pattern) => fits(pattern, message))) return "lost";
    return this.#holds.some((pattern) => fits(pattern, message)) ? "held" : "travels";
  }

  send(message: Message): Fate {
    const fate = this.#fateOf(message);
    if (fate !== "lost") this.#flights.push({ message, isHeld: fate === "held" });
    return fate;
  }

  /** Takes the oldest message that is not held. */
  takeNext(): Message | undefined {
    const flight = this.#flights.find(({ isHeld }) => !isHeld);
    if (flight === undefined) return undefined;
    this.#remove(flight);
    return flight.message;
  }

  /** Takes the messages that fit and are not held. */
  take(pattern: Pattern): readonly Message[] {
    const taken = this.#flights.filter(({ isHeld, message }) => !isHeld && fits(pattern, message));
    for (const flight of taken) this.#remove(flight);
    return taken.map(({ message }) => message);
  }

  /** Takes the message at a position among all on their way, held or not; undefined if there are none. */
  takeAt(position: number): Message | undefined {
    const flight = this.#flights[position % this.#flights.length];
    if (flight !== undefined) this.#remove(flight);
    return flight?.message;
  }

  /**
   * The network delivers these twice; the copies arrive after everything else, or when held ones are
   * released.
   */
  duplicate(pattern: Pattern, copiesAre: "held" | "travelling"): readonly Message[] {
    const copies = this.#flights.filter(({ isHeld, message }) => !isHeld && fits(pattern, message));
    for (const { message } of copies) this.#flights.push({ message, isHeld: copiesAre === "held" });
    return copies.map(({ message }) => message);
  }

  duplicateAt(position: number): void {
    const flight = this.#flights[position % this.#flights.length];
    if (flight !== undefined) this.#flights.push({ message: flight.message, isHeld: flight.isHeld });
  }

  /** Those that fit arrive in the opposite order, after everything else. */
  reverse(pattern: Pattern): void {
    const fitting = this.#flights.filter(({ isHeld, message }) => !isHeld && fits(pattern, message));
    for (const flight of fitting) this.#remove(flight);
    this.#flights.push(...fitting.reverse());
  }

  /** From now on these messages are lost. */
  cut(pattern: Pattern): void {
    this.#cuts.push(pattern);
  }

  /** Nothing is lost any more. */
  heal(): void {
    this.#cuts = [];
  }

  /** From now on these messages wait, also those on their way. */
  hold(pattern: Pattern): void {
    this.#holds.push(pattern);
    for (const flight of this.#flights) if (fits(pattern, flight.message)) flight.isHeld = true;
  }

  /** Everything that was held travels on, behind what is on its way. */
  release(): void {
    this.#holds = [];
    const held = this.#flights.filter(({ isHeld }) => isHeld);
    for (const flight of held) {
      this.#remove(flight);
      this.#flights.push({ message: flight.message, isHeld: false });
    }
  }

  #remove(flight: Flight): void {
    this.#flights.splice(this.#flights.indexOf(flight), 1);
  }
}
