/**
 * Hands committed entries to the store, one after the other, and what comes of them to whoever waits.
 *
 *   committed ─▶ queue ─▶ needs the disk? ── no ──────────────▶ store ─▶ answers, watchers
 *                              └── yes: nothing is applied until it was read ──▲
 */
import { type Configuration, decodeConfiguration, type Entry, logIndex, noEntry, type Term } from "@dkv/raft";
import {
  type Applied,
  decodeCommand,
  type DecodedCommand,
  type LoggedOperation,
  type Prepared,
  type Store,
} from "@dkv/store";
import { assert } from "../platform/assert.ts";
import type { Guard } from "./guard.ts";
import type { Proposals } from "./proposals.ts";
import type { Reads } from "./reads.ts";

export interface ApplierDeps {
  readonly store: Store;
  readonly proposals: Proposals;
  readonly reads: Reads;
  readonly guard: Guard;
  /** Names this run of this process in commands. */
  readonly proposer: bigint;
  /** A command was applied. */
  readonly onApplied: (applied: Applied, operation: LoggedOperation) => void;
  /** A configuration is in force for good. */
  readonly onConfigurationApplied: (configuration: Configuration) => void;
  /** What waited for the disk was applied: there may be room for more. */
  readonly onResumed: () => void;
}

export class Applier {
  readonly #deps: ApplierDeps;
  #queue: readonly Entry[] = [];
  /** What the first of the queue waits for. */
  #preparing: Promise<Prepared> | undefined;
  #appliedTerm: Term = noEntry.term;

  constructor(deps: ApplierDeps) {
    this.#deps = deps;
  }

  /** Whether something that was committed waits for the disk: nothing more is taken meanwhile. */
  get isWaiting(): boolean {
    return this.#preparing !== undefined;
  }

  /** To be called when nothing waits. */
  apply(committed: readonly Entry[]): void {
    if (committed.length === 0) return;
    assert(!this.isWaiting, "nothing more is taken while something waits for the disk");
    this.#queue = committed;
    this.#run();
  }

  /** Forgets what waits: the state is replaced as a whole, or the member stops. */
  abandon(): void {
    this.#queue = [];
    this.#preparing = undefined;
  }

  /** The state is that of another member, right behind an entry of this term. */
  restored(term: Term): void {
    this.#appliedTerm = term;
  }

  #run(): void {
    const { store, reads, proposer } = this.#deps;
    let done = 0;
    for (const entry of this.#queue) {
      if (entry.kind === "command") {
        const command = decodeCommand(entry.data);
        const isWanted = command.id.proposer === proposer;
        const preparing = store.prepare(command, isWanted);
        if (preparing !== undefined) {
          this.#queue = this.#queue.slice(done);
          this.#waitFor(preparing, { entry, command });
          break;
        }
        this.#applyCommand(entry, command, undefined);
      } else {
        this.#skip(entry);
      }
      this.#passTerm(entry.term);
      done += 1;
    }
    if (this.#preparing === undefined) this.#queue = [];
    reads.applied(logIndex(store.appliedIndex));
  }

  #waitFor(preparing: Promise<Prepared>, first: { entry: Entry; command: DecodedCommand }): void {
    const { guard, onResumed } = this.#deps;
    this.#preparing = preparing;
    preparing.then(
      (prepared) => {
        if (this.#preparing !== preparing) {
          prepared.release();
          return;
        }
        guard.run(() => {
          this.#preparing = undefined;
          this.#applyCommand(first.entry, first.command, prepared);
          this.#passTerm(first.entry.term);
          this.#queue = this.#queue.slice(1);
          this.#run();
          onResumed();
        });
      },
      (error: unknown) => {
        // What was abandoned may have been read from a disk that is closed.
        if (this.#preparing === preparing) guard.fail(error);
      },
    );
  }

  #applyCommand(entry: Entry, command: DecodedCommand, prepared: Prepared | undefined): void {
    const { store, proposals, proposer, onApplied } = this.#deps;
    const isWanted = command.id.proposer === proposer;
    const applied = store.apply(entry, command, { prepared, isWanted });
    onApplied(applied, command.operation);
    if (isWanted) proposals.applied(applied.id.sequence, applied.result);
  }

  #skip({ index, term, kind, data }: Entry): void {
    const { store, onConfigurationApplied } = this.#deps;
    store.skip({ index, term });
    if (kind === "configuration") onConfigurationApplied(decodeConfiguration(data));
  }

  #passTerm(term: Term): void {
    if (term <= this.#appliedTerm) return;
    this.#appliedTerm = term;
    this.#deps.proposals.termApplied(term);
  }
}
