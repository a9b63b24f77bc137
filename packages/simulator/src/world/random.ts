/**
 * Randomness that a seed determines: xoshiro128**, by Blackman and Vigna. Each use has a stream of its own,
 * so that one more draw somewhere does not change everything else: a run that is shrunk stays the same run.
 */
import type { Random } from "@dkv/server/platform/random";

export class Prng implements Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** @param stream names what it is for; another name gives other numbers */
  constructor(seed: number, stream: string) {
    let state = mixText(seed >>> 0, stream) ^ Math.trunc(seed / 2 ** 32);
    const word = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
      mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
      return (mixed ^ (mixed >>> 16)) >>> 0;
    };
    this.#a = word();
    this.#b = word();
    this.#c = word();
    // All four must not be 0.
    this.#d = word() | 1;
  }

  /** 32 bits. */
  next(): number {
    const b = this.#b;
    const scrambled = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    this.#c ^= this.#a;
    this.#d ^= b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= b << 9;
    this.#d = rotate(this.#d, 11);
    return scrambled;
  }

  below(bound: number): number {
    return Math.floor((this.next() / 2 ** 32) * bound);
  }

  /** A whole number; both ends are possible. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  chance(probability: number): boolean {
    return this.next() < probability * 2 ** 32;
  }

  /** Of a list that is not empty. */
  pick<Item>(items: readonly Item[]): Item {
    if (items.length === 0) throw new RangeError("nothing to pick from");
    return items[this.below(items.length)] as Item;
  }

  /** In another order. */
  shuffled<Item>(items: readonly Item[]): Item[] {
    const left = [...items];
    const taken: Item[] = [];
    while (left.length > 0) taken.push(...left.splice(this.below(left.length), 1));
    return taken;
  }

  name(): bigint {
    return (BigInt(this.next()) << 32n) | BigInt(this.next()) || 1n;
  }
}

const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by));

function mixText(start: number, text: string): number {
  let hash = start ^ 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
}
