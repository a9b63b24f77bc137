/**
 * A backup becomes the data of a member: its first generation, whose log begins behind the backup's last
 * entry. Until that is complete nothing says that the directory is a member's.
 */
import { existsSync, readdirSync } from "node:fs";
import type { Configuration } from "@dkv/raft";
import type { SnapshotHeader, SnapshotTrailer } from "@dkv/snapshot";
import type { Random } from "../platform/random.ts";
import { StartupError } from "../platform/startup-error.ts";
import type { GenerationOptions } from "./generation/generation.ts";
import { install } from "./generation/install.ts";
import {
  databaseDirectory,
  firstGeneration,
  generationDirectory,
  makeDirectory,
} from "./generation/layout.ts";
import { refusal, restoreCutShort } from "./refusals.ts";
import { deleteRestored, forgetRestoring, isRestoring, noteRestoring } from "./restoring-note.ts";
import { ReceivedSnapshot } from "./snapshot/received-snapshot.ts";
import type { Owner } from "./storage.ts";

/** Whose data it becomes. */
export interface NewMember {
  readonly identity: Owner;
  /** Of the new cluster; what was in force when the backup was made is no more. */
  readonly configuration: Configuration;
}

export interface RestorationOptions extends GenerationOptions {
  readonly random: Pick<Random, "name">;
}

export class Restoration {
  readonly #options: RestorationOptions;
  readonly #received: ReceivedSnapshot;

  private constructor(options: RestorationOptions, received: ReceivedSnapshot) {
    this.#options = options;
    this.#received = received;
  }

  /** Throws a StartupError if there is anything in the directory already. */
  static async begin(options: RestorationOptions, header: SnapshotHeader): Promise<Restoration> {
    const { dataDir } = options;
    try {
      if (isRestoring(dataDir)) throw restoreCutShort(dataDir);
      if (existsSync(dataDir) && readdirSync(dataDir).length > 0) throw notEmpty(dataDir);
      makeDirectory(dataDir);
      noteRestoring(dataDir);
    } catch (error) {
      throw refusal(dataDir, error);
    }
    try {
      makeDirectory(generationDirectory(dataDir, firstGeneration));
      const received = await ReceivedSnapshot.open(databaseDirectory(dataDir, firstGeneration), header);
      return new Restoration(options, received);
    } catch (error) {
      deleteRestored(dataDir);
      throw refusal(dataDir, error);
    }
  }

  /** Throws DamagedSnapshotError. */
  write(chunk: Uint8Array): Promise<void> {
    return this.#received.write(chunk);
  }

  /** Checks that all of it is there. When this resolves, the member can be started. */
  async finish(trailer: SnapshotTrailer, { identity: owner, configuration }: NewMember): Promise<void> {
    await this.#received.finish(trailer);
    const identity = { ...owner, incarnation: this.#options.random.name() };
    const { last } = this.#received.header;
    const database = this.#received.takeOver();
    const hardState = { term: last.term, votedFor: undefined, commit: last.index };
    const state = { number: firstGeneration, database, last, configuration };
    try {
      const { log } = await install({ ...state, identity, hardState, entries: [] }, this.#options);
      await log.close();
    } finally {
      await database.close();
    }
    forgetRestoring(this.#options.dataDir);
  }

  /** Leaves the directory as empty as it was. */
  async abandon(): Promise<void> {
    await this.#received.close();
    deleteRestored(this.#options.dataDir);
  }
}

function notEmpty(dataDir: string): StartupError {
  return new StartupError(
    "environment",
    `${dataDir} is not empty, and a backup is restored into an empty directory only: name another one with --data-dir`,
  );
}
