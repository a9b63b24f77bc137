/** Switches a member to a snapshot that it has received: log, state, and what in memory came of them. */
import type { Configuration, PersistBatch, Snapshot } from "@dkv/raft";
import type { Store } from "@dkv/store";
import type { Logger } from "pino";
import { assert } from "../platform/assert.ts";
import type { Storage } from "../storage/storage.ts";
import type { Applier } from "./applier.ts";
import type { Proposals } from "./proposals.ts";
import type { Reads } from "./reads.ts";
import type { StateSaver } from "./state-saver.ts";

export interface InstallerDeps {
  readonly storage: Pick<Storage, "append">;
  readonly store: Store;
  readonly saver: StateSaver;
  readonly applier: Applier;
  readonly proposals: Proposals;
  readonly reads: Reads;
  readonly logger: Logger;
  /** The state is that of another member. */
  readonly onRestored: () => void;
  /** A configuration is in force for good. */
  readonly onConfigurationApplied: (configuration: Configuration) => void;
  /** Once the member is stopped, the storage may be closed. */
  readonly isStopped: () => boolean;
}

export class Installer {
  readonly #deps: InstallerDeps;

  constructor(deps: InstallerDeps) {
    this.#deps = deps;
  }

  /**
   * The batch replaces log and state as a whole. Resolves when it is durable, and the store reads it; or when
   * the member was stopped before.
   */
  async install(batch: PersistBatch, snapshot: Snapshot): Promise<void> {
    const { storage, saver, applier, isStopped } = this.#deps;
    // Whatever waits is part of the snapshot.
    applier.abandon();
    await saver.pause();
    if (isStopped()) return;
    await storage.append(batch);
    this.#installed(snapshot);
  }

  /** In the same breath as the storage switches to it: nobody reads the new state through the old overlay. */
  #installed({ last, configuration }: Snapshot): void {
    const { store, saver, applier, proposals, reads, logger } = this.#deps;
    const { onRestored, onConfigurationApplied } = this.#deps;
    store.restored();
    assert(store.appliedIndex === last.index, "the state that was installed is the one that was promised");
    applier.restored(last.term);
    proposals.restored();
    reads.applied(last.index);
    saver.resume();
    onRestored();
    onConfigurationApplied(configuration);
    logger.info({ index: last.index }, "took over the state of another member");
  }
}
