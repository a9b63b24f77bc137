import type { ByteString } from "../bytes.ts";
import { type Layer, madeIn } from "../overlay/layer.ts";
import { mergeSorted } from "../overlay/sorted-keys.ts";
import type { Revision } from "../results.ts";
import { type Found, foundVersion } from "./found.ts";
import type { Interval } from "./interval.ts";

/** Keys of an interval at a revision: what the disk has, with the layers in front of it. */
export class MergedKeys {
  readonly #layers: readonly Layer[];
  readonly #revision: Revision;
  readonly #keys: readonly ByteString[];
  #position = 0;

  /** @param layers newest first; what the disk is read for is older than what they hold, or the same */
  constructor(layers: readonly Layer[], interval: Interval, revision: Revision) {
    this.#layers = layers;
    this.#revision = revision;
    this.#keys = layers.reduce<readonly ByteString[]>(
      (keys, layer) => mergeSorted(keys, layer.keysWithin(interval)),
      [],
    );
  }

  /** Those up to the last one of the batch that the disk has given next. */
  through(batch: readonly Found[]): readonly Found[] {
    if (this.#position === this.#keys.length) return batch;
    const merged: Found[] = [];
    for (const found of batch) {
      this.#addBelow(found.key, merged);
      const isSame = this.#keys[this.#position] === found.key;
      if (isSame) this.#position += 1;
      const made = isSame ? madeIn(this.#layers, found.key, this.#revision) : undefined;
      if (made === undefined) merged.push(found);
      else if (!made.isDeleted) merged.push(foundVersion(found.key, made));
    }
    return merged;
  }

  /** Those behind the last one that the disk has. */
  rest(): readonly Found[] {
    const merged: Found[] = [];
    this.#addBelow(undefined, merged);
    return merged;
  }

  #addBelow(key: ByteString | undefined, merged: Found[]): void {
    for (;;) {
      const next = this.#keys[this.#position];
      if (next === undefined || (key !== undefined && next >= key)) return;
      this.#position += 1;
      const made = madeIn(this.#layers, next, this.#revision);
      if (made !== undefined && !made.isDeleted) merged.push(foundVersion(next, made));
    }
  }
}
