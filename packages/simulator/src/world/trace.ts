/**
 * What happened, as numbers that are hashed and lines that are made only when somebody reads them. Two runs
 * with the same hash did the same things in the same order at the same times.
 */
import type { EventKind, SimEvent } from "./events.ts";

/** One line of the dense log; docs/testing.md explains the columns. */
export interface TraceLine {
  readonly step: number;
  readonly atUs: number;
  /** Of the machine; undefined for what happens outside of all. */
  readonly machine: number | undefined;
  readonly what: string;
  readonly numbers: readonly (number | string)[];
}

const codes: Readonly<Record<EventKind, number>> = {
  timer: 1,
  turn: 2,
  bytes: 3,
  socket: 4,
  disk: 5,
  client: 6,
  fault: 7,
  watch: 8,
};

const keptLines = 400;

export class Trace {
  /** Events so far. */
  step = 0;
  #low = 0x811c9dc5;
  #high = 0x01234567;
  #atUs = 0;
  readonly #lines: TraceLine[] = [];
  #next = 0;
  readonly #listener: ((line: TraceLine) => void) | undefined;

  /** @param listener hears of every line as it is made */
  constructor(listener?: (line: TraceLine) => void) {
    this.#listener = listener;
  }

  /** An event happens. */
  event({ atUs, kind, life }: SimEvent): void {
    this.step += 1;
    this.#atUs = atUs;
    this.#mix(atUs >>> 0);
    this.#mix((codes[kind] << 8) | ((life?.machine ?? 254) + 1));
  }

  /** Something worth a line happens in the event. Texts do not count for the hash. */
  note(what: string, machine: number | undefined, numbers: readonly (number | string)[]): void {
    this.#mix(what.length * 31 + what.charCodeAt(0));
    for (const value of numbers) if (typeof value === "number") this.#mix(value >>> 0);
    const line = { step: this.step, atUs: this.#atUs, machine, what, numbers };
    this.#lines[this.#next] = line;
    this.#next = (this.#next + 1) % keptLines;
    this.#listener?.(line);
  }

  /** 64 bits, in hexadecimal. */
  get hash(): string {
    return hex(this.#high) + hex(this.#low);
  }

  /** The last ones, the oldest first. */
  recent(): readonly TraceLine[] {
    return [...this.#lines.slice(this.#next), ...this.#lines.slice(0, this.#next)];
  }

  #mix(value: number): void {
    this.#low = Math.imul(this.#low ^ value, 0x01000193);
    this.#low ^= this.#low >>> 15;
    this.#high = (Math.imul(this.#high, 0x85ebca6b) + this.#low) | 0;
  }
}

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, "0");

/** `   1234   5.678901 s  m2  what  1 2 3` */
export function formatLine({ step, atUs, machine, what, numbers }: TraceLine): string {
  const where = machine === undefined ? "--" : `m${String(machine + 1)}`;
  const time = (atUs / 1_000_000).toFixed(6).padStart(12);
  return `${String(step).padStart(8)} ${time} ${where.padEnd(4)} ${what.padEnd(12)} ${numbers.join(" ")}`;
}
