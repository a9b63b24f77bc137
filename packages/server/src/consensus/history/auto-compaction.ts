/**
 * Gives up history without being asked to: what is older than so long, or more than so many revisions back.
 *
 * Every member remembers which revisions it has had, and when; the one that leads goes by that. One that was
 * behind has had older ones, and gives up less.
 */
import { create } from "@bufbuild/protobuf";
import { CompactCommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import type { Term } from "@dkv/raft";
import type { Revision, Store } from "@dkv/store";
import type { Logger } from "pino";
import type { Cancel, Clock } from "../../platform/clock.ts";
import type { OwnLog } from "../own-log.ts";

export type AutoCompactionOptions =
  /** What was current so long ago can be read. */
  | { readonly mode: "periodic"; readonly retentionMs: number }
  /** So many revisions before the current one can be read. */
  | { readonly mode: "revision"; readonly revisions: number };

const hourMs = 3_600_000;

/** How often old revisions go by their number. */
const revisionEveryMs = 300_000;

/** Of the time that is kept, or of an hour if that is less, revisions are remembered after so much each. */
const sampleShare = 0.1;

export interface AutoCompactionDeps {
  readonly store: Pick<Store, "revision" | "compaction">;
  readonly clock: Clock;
  readonly ownLog: Pick<OwnLog, "propose">;
  readonly logger: Logger;
  /** In which this member leads; undefined if it does not. */
  readonly term: () => Term | undefined;
}

interface Sample {
  readonly atMs: number;
  readonly revision: Revision;
}

export class AutoCompaction {
  readonly #options: AutoCompactionOptions | undefined;
  readonly #deps: AutoCompactionDeps;
  #cancel: Cancel | undefined;
  /** Oldest first. */
  #samples: readonly Sample[] = [];
  #lastMs = Number.NEGATIVE_INFINITY;

  /** @param options undefined: history is kept until somebody gives it up */
  constructor(options: AutoCompactionOptions | undefined, deps: AutoCompactionDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  start(): void {
    const options = this.#options;
    if (options === undefined) return;
    const { clock } = this.#deps;
    const everyMs =
      options.mode === "revision"
        ? revisionEveryMs
        : Math.ceil(sampleShare * Math.min(options.retentionMs, hourMs));
    if (options.mode === "periodic") this.#sample(options.retentionMs);
    this.#cancel = clock.every(everyMs, () => {
      if (options.mode === "periodic") this.#lookAtAge(options.retentionMs);
      else this.#compact(this.#deps.store.revision - options.revisions);
    });
  }

  stop(): void {
    this.#cancel?.();
  }

  #lookAtAge(retentionMs: number): void {
    const nowMs = this.#sample(retentionMs);
    const [oldest] = this.#samples;
    if (oldest === undefined || nowMs - oldest.atMs < retentionMs) return;
    if (nowMs - this.#lastMs < Math.min(retentionMs, hourMs)) return;
    if (this.#compact(oldest.revision)) this.#lastMs = nowMs;
  }

  /** Remembers the current revision, and forgets those that are older than the newest that is old enough. */
  #sample(retentionMs: number): number {
    const nowMs = this.#deps.clock.nowMs();
    const samples = [...this.#samples, { atMs: nowMs, revision: this.#deps.store.revision }];
    const newestOld = samples.findLastIndex(({ atMs }) => nowMs - atMs >= retentionMs);
    this.#samples = samples.slice(Math.max(0, newestOld));
    return nowMs;
  }

  /** Returns whether this member leads, and so has seen to it. */
  #compact(revision: Revision): boolean {
    const { store, ownLog, term: termNow, logger } = this.#deps;
    const term = termNow();
    if (term === undefined) return false;
    if (revision <= Math.max(0, store.compaction.revision)) return true;
    const value = create(CompactCommandSchema, { revision: BigInt(revision) });
    ownLog.propose(term, { case: "compact", value }).then(
      (isApplied) => {
        if (isApplied) logger.info({ revision }, "gave up the history before a revision");
      },
      (error: unknown) => {
        logger.warn({ err: error }, "could not give up history; it is tried again");
      },
    );
    return true;
  }
}
