/**
 * A backup becomes the data of a member: its first generation, whose log begins behind the backup's last
 * entry. Until that is complete nothing says that the directory is a member's.
 */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Configuration } from "@dkv/raft";
import type { SnapshotHeader, SnapshotTrailer } from "@dkv/snapshot";
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
import { forgetRestoring, isRestoring, noteRestoring } from "./restoring-note.ts";
import { ReceivedSnapshot } from "./snapshot/received-snapshot.ts";
import type { Owner } from "./storage.ts";

/** Whose data it becomes. */
export interface NewMember {
  readonly identity: Owner;
  /** Of the new cluster; what was in force when the backup was made is no more. */
  readonly configuration: Configuration;
}

export class Restoration {
  readonly #options: GenerationOptions;
  readonly #received: ReceivedSnapshot;

  private constructor(options: GenerationOptions, received: ReceivedSnapshot) {
    this.#options = options;
    this.#received = received;
  }

  /** Throws a StartupError if there is anything in the directory already. */
  static async begin(options: GenerationOptions, header: SnapshotHeader): Promise<Restoration> {
    const { dataDir } = options;
    try {
      if (isRestoring(dataDir)) throw restoreCutShort(dataDir);
      if (existsSync(dataDir) && readdirSync(dataDir).length > 0) throw notEmpty(dataDir);
    } catch (error) {
      throw refusal(dataDir, error);
    }
    try {
      makeDirectory(dataDir);
      noteRestoring(dataDir);
      makeDirectory(generationDirectory(dataDir, firstGeneration));
      const received = await ReceivedSnapshot.open(databaseDirectory(dataDir, firstGeneration), header);
      return new Restoration(options, received);
    } catch (error) {
      empty(dataDir);
      throw refusal(dataDir, error);
    }
  }

  /** Throws DamagedSnapshotError. */
  write(chunk: Uint8Array): Promise<void> {
    return this.#received.write(chunk);
  }

  /** Checks that all of it is there. When this resolves, the member can be started. */
  async finish(trailer: SnapshotTrailer, { identity, configuration }: NewMember): Promise<void> {
    await this.#received.finish(trailer);
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
    empty(this.#options.dataDir);
  }
}

/** It was empty before, so all that is there came of the restoration. */
function empty(dataDir: string): void {
  if (!existsSync(dataDir)) return;
  for (const name of readdirSync(dataDir)) rmSync(join(dataDir, name), { recursive: true, force: true });
}

function notEmpty(dataDir: string): StartupError {
  return new StartupError(
    "environment",
    `${dataDir} is not empty, and a backup is restored into an empty directory only: name another one with --data-dir`,
  );
}
