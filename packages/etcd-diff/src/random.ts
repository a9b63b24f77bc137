/** Chance that a seed determines. */

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = scramble(seed >>> 0);
  }

  /** 32 bits. */
  next(): number {
    this.#state = (this.#state + 0x9e37_79b9) >>> 0;
    return scramble(this.#state);
  }

  /** A whole number from 0 up to and without `bound`. */
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

  /** Each as often as its weight says. */
  weighted<Item>(items: readonly (readonly [weight: number, item: Item])[]): Item {
    let left = this.below(items.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, item] of items) {
      if (left < weight) return item;
      left -= weight;
    }
    throw new RangeError("nothing to pick from");
  }
}

/** Each bit of what comes out depends on each that went in. */
function scramble(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 15), 0x2c1b_3c6d);
  mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a_2d39);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
