/** The production store, which tells a witness what it makes of each entry. */
import {
  type Applied,
  type ApplyContext,
  type DecodedCommand,
  encodeCommand,
  type EntryPlace,
  type Prepared,
  type StateScanner,
  Store,
  type StoreOptions,
} from "@dkv/store";

export interface ApplyWitness {
  /** A command was applied. */
  applied(store: ObservedStore, entry: AppliedEntry, applied: Applied): void;
  /** An entry without a command was passed. */
  skipped(store: ObservedStore, entry: EntryPlace): void;
  /** The whole state was replaced. */
  restored(store: ObservedStore): void;
}

export interface AppliedEntry {
  readonly index: number;
  readonly term: number;
  readonly data: Uint8Array;
  /** Whether somebody waits there for what the command reads. */
  readonly isWanted: boolean;
}

/** A class of its own because the driver takes a store, and nothing less. */
export class ObservedStore extends Store {
  readonly #witness: ApplyWitness;
  #preparing = 0;

  constructor(reader: StateScanner, options: StoreOptions, witness: ApplyWitness) {
    super(reader, options);
    this.#witness = witness;
  }

  /** Whether an entry waits for what it needs from the disk. */
  get isPreparing(): boolean {
    return this.#preparing > 0;
  }

  override prepare(command: DecodedCommand, isWanted: boolean): Promise<Prepared> | undefined {
    const preparing = super.prepare(command, isWanted);
    if (preparing === undefined) return undefined;
    this.#preparing += 1;
    return preparing.finally(() => (this.#preparing -= 1));
  }

  override apply(entry: EntryPlace, command: DecodedCommand, context: ApplyContext): Applied {
    const applied = super.apply(entry, command, context);
    const data = encodeCommand(command.id, command.operation, command.origin);
    this.#witness.applied(this, { ...entry, data, isWanted: context.isWanted }, applied);
    return applied;
  }

  override skip(entry: EntryPlace): void {
    super.skip(entry);
    this.#witness.skipped(this, entry);
  }

  override restored(): void {
    super.restored();
    this.#witness.restored(this);
  }
}
