/** Chance that a seed determines. Each use has a stream of its own, named by its purpose. */

export class Random {
  #state: number;

  /** @param stream names what it is for; another name gives other numbers */
  constructor(seed: number, stream: string) {
    let state = seed >>> 0;
    for (const letter of stream) state = scramble(state ^ (letter.codePointAt(0) ?? 0));
    this.#state = state;
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

  /** Every order of magnitude is as likely as any other. */
  magnitude(least: number, most: number): number {
    return Math.round(least * (most / least) ** (this.next() / 2 ** 32));
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
  shuffled<Item>(items: readonly Item[]): readonly Item[] {
    const left = [...items];
    return items.flatMap(() => left.splice(this.below(left.length), 1));
  }
}

/** Each bit of what comes out depends on each that went in. */
function scramble(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 15), 0x2c1b_3c6d);
  mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a_2d39);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
