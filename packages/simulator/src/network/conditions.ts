/** How the network is at the moment, between any two machines, in one direction. */
import type { Prng } from "../world/random.ts";

export interface NetworkOptions {
  readonly minDelayUs: number;
  readonly maxDelayUs: number;
  /** Of a chunk to take far longer than that. */
  readonly lateChance: number;
  /** Of a chunk to arrive in two pieces. */
  readonly splitChance: number;
  /** What the systems at both ends keep for a connection. What is written beyond that waits in the process. */
  readonly windowBytes: number;
}

/** Longer than any delay that is drawn, several times. */
const lateUs = 80_000;

export class Conditions {
  readonly #options: NetworkOptions;
  readonly #random: Prng;
  /** Blocked directions, each with how many faults block it. */
  readonly #blocked = new Map<string, number>();
  /** Factors by which links are slow. */
  readonly #slow = new Map<string, number>();
  #healed = false;

  constructor(options: NetworkOptions, random: Prng) {
    this.#options = options;
    this.#random = random;
  }

  get windowBytes(): number {
    return this.#options.windowBytes;
  }

  /** For good: from now on nothing is late, lost or torn apart, whatever else is asked for. */
  heal(): void {
    this.#healed = true;
    this.#blocked.clear();
    this.#slow.clear();
  }

  block(from: number, to: number): void {
    if (this.#healed) return;
    const key = link(from, to);
    this.#blocked.set(key, (this.#blocked.get(key) ?? 0) + 1);
  }

  unblock(from: number, to: number): void {
    const key = link(from, to);
    const left = (this.#blocked.get(key) ?? 0) - 1;
    if (left > 0) this.#blocked.set(key, left);
    else this.#blocked.delete(key);
  }

  isBlocked(from: number, to: number): boolean {
    return this.#blocked.size > 0 && this.#blocked.has(link(from, to));
  }

  slow(from: number, to: number, factor: number): void {
    if (factor === 1) this.#slow.delete(link(from, to));
    else if (!this.#healed) this.#slow.set(link(from, to), factor);
  }

  /** How long a chunk takes. */
  delayUs(from: number, to: number): number {
    const { minDelayUs, maxDelayUs, lateChance } = this.#options;
    if (from === to) return minDelayUs;
    const usual = this.#random.between(minDelayUs, maxDelayUs);
    if (this.#healed) return usual;
    const factor = this.#slow.size === 0 ? 1 : (this.#slow.get(link(from, to)) ?? 1);
    const late = lateChance > 0 && this.#random.chance(lateChance) ? this.#random.below(lateUs) : 0;
    return usual * factor + late;
  }

  /** Where a chunk of so many bytes breaks in two; 0 if it does not. */
  splitAt(bytes: number): number {
    const { splitChance } = this.#options;
    if (splitChance === 0 || bytes < 2 || this.#healed || !this.#random.chance(splitChance)) return 0;
    return this.#random.between(1, bytes - 1);
  }
}

const link = (from: number, to: number): string => `${String(from)}>${String(to)}`;
