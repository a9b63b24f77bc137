import { GrowingBuffer } from "../platform/growing-buffer.ts";
import type { BodyBudget } from "./body-budget.ts";

/** Bytes before a message on a stream of them: flags and the length, as gRPC and Connect have it. */
export const prefixBytes = 5;

/**
 * Memory of a message that is not charged to the budget: whoever fills that cannot keep others from sending
 * messages of an ordinary size.
 */
const freeBytes = 16 * 1024;

export interface MessageLimit {
  /** Most bytes of the message, without a prefix. */
  readonly maxBytes: number;
  /** Whether the message has a prefix that tells its length. */
  readonly hasPrefix: boolean;
  /** What is thrown when it has, or says that it will have, so many bytes, which are more. */
  readonly tooLarge: (bytes: number) => Error;
}

/** Where the memory of a message is charged. */
export interface BudgetAccount {
  readonly budget: BodyBudget;
  readonly connection: object;
}

/** A call whose message takes its time. */
export interface Arriving {
  /** When the first of it came. */
  readonly startedMs: number;
  giveUp(error: unknown): void;
}

/** A message while it arrives, in memory that the budget knows of. */
export class ArrivingMessage {
  readonly #limit: MessageLimit;
  readonly #account: BudgetAccount;
  readonly #buffer = new GrowingBuffer();
  #chargedBytes = 0;

  constructor(limit: MessageLimit, account: BudgetAccount) {
    this.#limit = limit;
    this.#account = account;
  }

  /** What came of it, with its prefix. */
  get length(): number {
    return this.#buffer.length;
  }

  /** What must come before more is known: the rest of the prefix, or of the message. Infinite without a prefix. */
  get missingBytes(): number {
    if (!this.#limit.hasPrefix) return Number.POSITIVE_INFINITY;
    return prefixBytes + (this.#declaredBytes ?? 0) - this.length;
  }

  /** Throws if the message is, or says it will be, too large, or if there is no memory for it. */
  append(piece: Uint8Array): void {
    const expectedBytes = this.#expectedBytes(this.length + piece.length);
    this.#charge(this.#buffer.capacityWith(piece.length, expectedBytes));
    this.#buffer.append(piece, expectedBytes);
    const { maxBytes, tooLarge } = this.#limit;
    const bytes = Math.max(this.length - prefixBytes, this.#declaredBytes ?? 0);
    if (bytes > maxBytes) throw tooLarge(bytes);
  }

  /** Returns what came of it and starts anew. Complete messages are not the budget's concern. */
  take(): Buffer {
    this.#charge(0);
    return this.#buffer.take();
  }

  /** The length that its prefix promises, once that is there. */
  get #declaredBytes(): number | undefined {
    if (!this.#limit.hasPrefix || this.length < prefixBytes) return undefined;
    return this.#buffer.bytes.readUInt32BE(1);
  }

  /** What is worth reserving when so many bytes are there: no more than is free, as long as that will do. */
  #expectedBytes(bytes: number): number {
    const announced = this.#declaredBytes;
    const whole = announced === undefined ? Number.POSITIVE_INFINITY : prefixBytes + announced;
    return bytes <= freeBytes ? Math.min(whole, freeBytes) : whole;
  }

  #charge(capacity: number): void {
    const { budget, connection } = this.#account;
    const chargedBytes = Math.max(0, capacity - freeBytes);
    if (chargedBytes > this.#chargedBytes) budget.take(connection, chargedBytes - this.#chargedBytes);
    else budget.release(connection, this.#chargedBytes - chargedBytes);
    this.#chargedBytes = chargedBytes;
  }
}
