/**
 * Keeps the state below a size. A leader that finds its own larger raises an alarm through the log; while it
 * stands, no member takes what needs more room. What can make room goes on: deletes and compactions. Once a
 * leader finds its state well below, it lifts the alarm again, whichever leader has raised it; but what a
 * caller has declared stays until a caller lifts it.
 *
 * What is removed from LevelDB takes space until it rewrites its tables, which it does as others are written.
 * While nothing may be written that hardly happens, so every member has it done when history was removed, and
 * now and then if something was deleted.
 */
import { create } from "@bufbuild/protobuf";
import { AlarmCommandSchema, AlarmKind } from "@dkv/protocol/dkv/peer/v1/command";
import type { Term } from "@dkv/raft";
import type { Alarm, Operation, Revision, Store } from "@dkv/store";
import type { Logger } from "pino";
import type { Cancel, Clock } from "../platform/clock.ts";
import { formatBytes } from "../platform/disk-space.ts";
import { DkvError } from "../platform/errors.ts";
import type { Identity, Storage } from "../storage/storage.ts";
import { takesRoom } from "./disk-reserve.ts";
import type { OwnLog } from "./own-log.ts";

const lookEveryMs = 2000;

/** Of the quota: below it writes go on, so that they are not let in and refused by turns. */
const lowWater = 0.9;

/**
 * Between two times that space is reclaimed, which reads and writes all of the state: a delete alone gives
 * back little, as the history still has the value.
 */
const firstPauseMs = 60_000;
const longestPauseMs = 3_600_000;

interface Reclaimed {
  readonly revision: Revision;
  /** The oldest revision that could be read. */
  readonly compacted: Revision;
  readonly atMs: number;
  readonly pauseMs: number;
}

export interface QuotaDeps {
  readonly storage: Pick<Storage, "stateBytes" | "reclaimState">;
  readonly store: Pick<Store, "alarms" | "revision" | "compaction">;
  readonly identity: Identity;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ownLog: Pick<OwnLog, "propose">;
  /** Resolves when everything that is applied by now is durable in the state. */
  readonly saveApplied: () => Promise<void>;
  /** In which this member leads; undefined if it does not. */
  readonly term: () => Term | undefined;
}

export class Quota {
  readonly #quotaBytes: number;
  readonly #deps: QuotaDeps;
  #cancel: Cancel | undefined;
  #isLooking = false;
  /** When space was reclaimed last, and what the store was then; undefined if that was not since the alarm. */
  #reclaimed: Reclaimed | undefined;

  /** @param quotaBytes 0 for none */
  constructor(quotaBytes: number, deps: QuotaDeps) {
    this.#quotaBytes = quotaBytes;
    this.#deps = deps;
  }

  /** 0 for none. */
  get bytes(): number {
    return this.#quotaBytes;
  }

  /** Whether nothing may be written that takes room. */
  get isReached(): boolean {
    // Looked at for every write.
    return this.#deps.store.alarms.length > 0 && (this.#alarms.length > 0 || this.#isDeclared);
  }

  start(): void {
    this.#cancel = this.#deps.clock.every(lookEveryMs, () => void this.look());
  }

  stop(): void {
    this.#cancel?.();
  }

  /** Measures, and does now what is to be done. One at a time. */
  async look(): Promise<void> {
    if (!this.isReached) this.#reclaimed = undefined;
    const hasNothingToDo = this.#quotaBytes === 0 && !this.isReached;
    if (this.#isLooking || hasNothingToDo) return;
    this.#isLooking = true;
    try {
      if (this.isReached) await this.#reclaim();
      await this.#judge(await this.#deps.storage.stateBytes());
    } catch (error) {
      // The disk was closed, or another state is being installed; whatever is wrong with it, writes will
      // tell.
      this.#deps.logger.warn({ err: error }, "could not measure the state");
    }
    this.#isLooking = false;
  }

  /** Why that is not done for a caller now; undefined if there is room for it. */
  refusalOf(operation: Operation): DkvError | undefined {
    return this.isReached && takesRoom(operation) ? this.refusal() : undefined;
  }

  /** What callers are told whose writes find too little room. */
  refusal(): DkvError {
    if (this.#alarms.length === 0)
      return new DkvError(
        "noSpace",
        "the alarm that there is no space was raised by somebody: nothing was written; lift it with etcdctl alarm " +
          "disarm; reads, deletes and compactions go on all the time",
      );
    return new DkvError(
      "noSpace",
      "the state has reached its quota, --quota-bytes: nothing was written; delete what is not needed and give up " +
        "history with dkvctl compact, or raise the quota; reads, deletes and compactions go on all the time",
    );
  }

  get #alarms(): readonly Alarm[] {
    return this.#alarmsOf(AlarmKind.NO_SPACE);
  }

  get #isDeclared(): boolean {
    return this.#alarmsOf(AlarmKind.NO_SPACE_DECLARED).length > 0;
  }

  #alarmsOf(wanted: AlarmKind): readonly Alarm[] {
    const { store, identity } = this.#deps;
    return store.alarms.filter(({ clusterId, kind }) => kind === wanted && clusterId === identity.clusterId);
  }

  async #judge(stateBytes: number): Promise<void> {
    const { identity, logger } = this.#deps;
    const term = this.#deps.term();
    if (term === undefined) return;
    const quotaBytes = this.#quotaBytes;
    const facts = { stateBytes: formatBytes(stateBytes), quotaBytes: formatBytes(quotaBytes) };
    const alarms = this.#alarms;
    if (alarms.length === 0) {
      if (quotaBytes === 0 || stateBytes <= quotaBytes) return;
      const alarm = { ...identity, kind: AlarmKind.NO_SPACE };
      if (await this.#propose(term, alarm, false))
        logger.error(facts, "the state has reached its quota: writes are refused until some of it is gone");
    } else if (quotaBytes === 0 || stateBytes < lowWater * quotaBytes) {
      for (const alarm of alarms) if (!(await this.#propose(term, alarm, true))) return;
      logger.info(facts, "the state is below its quota again: writes go on");
    }
  }

  #propose(term: Term, { clusterId, memberId, kind }: Alarm, lift: boolean): Promise<boolean> {
    const value = create(AlarmCommandSchema, { clusterId, memberId, kind, lift });
    return this.#deps.ownLog.propose(term, { case: "alarm", value });
  }

  async #reclaim(): Promise<void> {
    const { storage, store, saveApplied } = this.#deps;
    const { revision, compaction } = store;
    if (!compaction.isRemoved) return;
    const pauseMs = this.#pauseMs(revision, compaction.revision);
    if (pauseMs === undefined) return;
    await saveApplied();
    await storage.reclaimState();
    this.#reclaimed = { revision, compacted: compaction.revision, atMs: this.#deps.clock.nowMs(), pauseMs };
  }

  /** How long to pause after reclaiming space now; undefined: that is not to be done yet. */
  #pauseMs(revision: Revision, compacted: Revision): number | undefined {
    const before = this.#reclaimed;
    if (before === undefined || before.compacted !== compacted) return firstPauseMs;
    const isDue = this.#deps.clock.nowMs() >= before.atMs + before.pauseMs;
    return isDue && before.revision !== revision ? Math.min(longestPauseMs, 2 * before.pauseMs) : undefined;
  }
}
