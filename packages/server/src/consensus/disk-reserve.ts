/**
 * Room on the disk that writes of clients leave free. What else has to be stored fits in there until somebody
 * has made room: deletes, the entries of a leader that has more, compaction. A member whose disk is full can
 * only stop.
 */
import type { LoggedOperation } from "@dkv/store";
import type { Logger } from "pino";
import { formatBytes } from "../platform/disk-space.ts";
import { DkvError } from "../platform/errors.ts";

/** With `low` room nothing is written that adds to what is stored. */
export type DiskReserveState = "enough" | "low";

type Txn = Extract<LoggedOperation, { case: "txn" }>["value"];

/** Room that has to come back beyond the reserve, so that writes are not let in and refused by turns. */
const margin = 1.1;

export interface DiskReserveOptions {
  /** Bytes; 0 keeps none. */
  readonly reserveBytes: number;
  readonly logger: Logger;
}

export class DiskReserve {
  readonly #reserveBytes: number;
  readonly #logger: Logger;
  #state: DiskReserveState = "enough";
  /** As it was measured last. */
  #freeBytes = Number.POSITIVE_INFINITY;

  constructor({ reserveBytes, logger }: DiskReserveOptions) {
    this.#reserveBytes = reserveBytes;
    this.#logger = logger;
  }

  get state(): DiskReserveState {
    return this.#state;
  }

  /** The disk was found to have so many bytes free. */
  measured(freeBytes: number): void {
    this.#freeBytes = freeBytes;
    const isLow = freeBytes < this.#reserveBytes * (this.#state === "low" ? margin : 1);
    const state = isLow ? "low" : "enough";
    if (state === this.#state) return;
    this.#state = state;
    const what = { freeBytes, reserveBytes: this.#reserveBytes };
    if (isLow)
      this.#logger.error(what, "the disk is nearly full: writes are refused until there is room again");
    else this.#logger.info(what, "the disk has room again: writes go on");
  }

  /** What a caller of this member is told whose write finds too little room. */
  refusal(): DkvError {
    const free = formatBytes(this.#freeBytes);
    const wanted = formatBytes(Math.ceil(this.#reserveBytes * margin));
    return new DkvError(
      "diskFull",
      `this member's disk is nearly full, ${free} are free: nothing was written; make room on it and try ` +
        `again, writes go on at ${wanted}; reads and deletes go on all the time`,
    );
  }
}

/** What a caller is told whose write the leader has refused for want of room on its own disk. */
export function leaderRefusal(): DkvError {
  return new DkvError(
    "diskFull",
    "the leader's disk is nearly full, its log says how many bytes are free: nothing was written; make room on " +
      "it and try again; reads and deletes go on all the time",
  );
}

/** Whether an operation may leave more behind than it found. */
export function takesRoom(operation: LoggedOperation): boolean {
  switch (operation.case) {
    case "set":
    case "setIf":
    case "grantLease":
      return true;
    case "txn":
      return txnTakesRoom(operation.value);
    default:
      return false;
  }
}

function txnTakesRoom({ success, failure }: Txn): boolean {
  const oneTakesRoom = ({ operation }: Txn["success"][number]): boolean =>
    operation.case === "set" || (operation.case === "txn" && txnTakesRoom(operation.value));
  return success.some(oneTakesRoom) || failure.some(oneTakesRoom);
}
