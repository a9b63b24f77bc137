/** Bytes of one connection that have arrived and are not a whole request yet. */
import { GrowingBuffer } from "../../platform/growing-buffer.ts";
import type { Room } from "./room.ts";

/** So much of each connection is not charged: who fills the room cannot keep others from small requests. */
const freeBytes = 16 * 1024;

export class Arrived {
  readonly #room: Room;
  readonly #part = new GrowingBuffer();
  #chargedBytes = 0;
  /** How many bytes there must be before it is worth looking at them again. */
  #wantedBytes = 0;

  constructor(room: Room) {
    this.#room = room;
  }

  get isEmpty(): boolean {
    return this.#part.length === 0;
  }

  /** Whether what is here may be a whole request by now. */
  get isEnough(): boolean {
    return !this.isEmpty && this.#part.length >= this.#wantedBytes;
  }

  /** Whether there was room for this part of a request behind what is kept. If not, it is lost. */
  add(part: Buffer, wantedBytes = this.#wantedBytes): boolean {
    this.#wantedBytes = wantedBytes;
    // Memory grows with what has come, not by what a length promises.
    if (!this.#charge(this.#part.capacityWith(part.length, wantedBytes) - freeBytes)) return false;
    this.#part.append(part, wantedBytes);
    return true;
  }

  /** Returns all that was kept and forgets it. */
  take(): Buffer {
    this.#charge(0);
    return this.#part.take();
  }

  #charge(wanted: number): boolean {
    const bytes = Math.max(0, wanted);
    const more = bytes - this.#chargedBytes;
    if (more > 0 && !this.#room.take(more)) return false;
    if (more < 0) this.#room.release(-more);
    this.#chargedBytes = bytes;
    return true;
  }
}
