/** Bytes that all connections together may have of a member: a limit for each alone allows its product with all. */
export class Room {
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get isFull(): boolean {
    return this.#bytes >= this.#maxBytes;
  }

  /** Three quarters are taken: the largest that may come still has room. */
  get isCrowded(): boolean {
    return this.#bytes >= 0.75 * this.#maxBytes;
  }

  /** Whether there was room for so many. If not, nothing was taken. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#maxBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  /** As {@link take}, where it cannot be helped. Ask {@link isFull} before. */
  takeAnyway(bytes: number): void {
    this.#bytes += bytes;
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/** What the connections of all stream protocols share. */
export interface StreamRooms {
  /** Requests that are arriving, and those that are not answered. */
  readonly requests: Room;
  /** Answers that their clients have not taken. */
  readonly answers: Room;
}

const mebibyte = 1024 * 1024;

export function createStreamRooms(): StreamRooms {
  return { requests: new Room(256 * mebibyte), answers: new Room(256 * mebibyte) };
}
