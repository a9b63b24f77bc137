/** The production store, which tells a witness what it makes of each entry. */
import { type Applied, Store, type StateReader } from "@dkv/store";

export interface ApplyWitness {
  /** A command was applied. */
  applied(store: ObservedStore, entry: AppliedEntry, applied: Applied): void;
  /** An entry without a command was passed. */
  skipped(store: ObservedStore, entry: Pick<AppliedEntry, "index" | "term">): void;
  /** The whole state was replaced. */
  restored(store: ObservedStore): void;
}

export interface AppliedEntry {
  readonly index: number;
  readonly term: number;
  readonly data: Uint8Array;
}

/** A class of its own because the driver takes a store, and nothing less. */
export class ObservedStore extends Store {
  readonly #witness: ApplyWitness;

  constructor(reader: StateReader, cacheBytes: number, witness: ApplyWitness) {
    super(reader, { cacheBytes });
    this.#witness = witness;
  }

  override apply(index: number, term: number, data: Uint8Array): Applied {
    const applied = super.apply(index, term, data);
    this.#witness.applied(this, { index, term, data }, applied);
    return applied;
  }

  override skip(index: number, term: number): void {
    super.skip(index, term);
    this.#witness.skipped(this, { index, term });
  }

  override restored(): void {
    super.restored();
    this.#witness.restored(this);
  }
}
