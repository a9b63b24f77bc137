/**
 * Applying happens in three steps, so that it stays a plain function although ranges can only be read
 * asynchronously:
 *
 *   prepare: read the disk ─▶ execute: decide what changes, in memory ─▶ write: with the next save
 *
 * Most commands need no preparation: single keys are read as they are executed. Nothing is applied between
 * the preparation of a command and its execution, but what was applied before may become durable.
 */
import { type Compare, RangeTarget } from "@dkv/protocol/dkv/peer/v1/command";
import { assert } from "../assert.ts";
import type { ByteString } from "../bytes.ts";
import type { Piece } from "../history/pieces.ts";
import { readAttached } from "../lease/scan-leases.ts";
import { madeIn } from "../overlay/layer.ts";
import type {
  DeleteCommand,
  LoggedOperation,
  RangeOperation,
  TxnCommand,
  TxnOperation,
} from "../operation.ts";
import { currentOnDisk, pastOnDisk } from "../read/disk-keys.ts";
import type { Found } from "../read/found.ts";
import { type Interval, intervalOf } from "../read/interval.ts";
import { bytesOf, fittingWithValues } from "../read/page.ts";
import { withValues } from "../read/range.ts";
import type { State } from "../state.ts";
import type { LeaseId, Place } from "../version.ts";
import { conditionOf } from "./compare.ts";

/** For keys and values of several ranges, in bytes. Taken as they are read. */
interface Room {
  left: number;
}

/** @param maxBytes 0 for no bound */
export const roomOf = (maxBytes: bigint): number =>
  maxBytes > 0n ? Number(maxBytes) : Number.POSITIVE_INFINITY;

/** What has to be read from the disk before a command can be executed. */
export type Need =
  | {
      readonly kind: "keys";
      readonly interval: Interval;
      /** 0 for the current one. */
      readonly revision: number;
      /** How many of them are needed with their values, as far as there is room. */
      readonly values: number;
      readonly room: Room;
    }
  | { readonly kind: "compare"; readonly compare: Compare }
  | { readonly kind: "attached"; readonly lease: LeaseId }
  | { readonly kind: "history"; readonly from: Place; readonly through: number };

/** Compared at a time: any value may be large. */
const comparedKeys = 64;

/** What the disk had, at some moment since everything in front of it is held. */
export class Prepared {
  readonly #keys = new Map<string, readonly Found[]>();
  readonly #compared = new Map<Compare, boolean | undefined>();
  readonly #attached = new Map<LeaseId, readonly ByteString[]>();
  #history: Piece | undefined;
  readonly #release: () => void;

  constructor(release: () => void) {
    this.#release = release;
  }

  /** Of an interval, in their order. */
  keys(interval: Interval, revision: number): readonly Found[] {
    const found = this.#keys.get(nameOf(interval, revision));
    assert(found !== undefined, "the interval was prepared");
    return found;
  }

  /**
   * Whether a comparison of an interval holds for each key that was found there; undefined if none was.
   * Nothing is said of keys that the layers in front know better.
   */
  compared(compare: Compare): boolean | undefined {
    assert(this.#compared.has(compare), "the comparison was prepared");
    return this.#compared.get(compare);
  }

  /** Keys of a lease, in their order. */
  attached(lease: LeaseId): readonly ByteString[] {
    const keys = this.#attached.get(lease);
    assert(keys !== undefined, "the keys of the lease were prepared");
    return keys;
  }

  get history(): Piece {
    assert(this.#history !== undefined, "the history was prepared");
    return this.#history;
  }

  /** @param compactRevision the oldest that can be read: before it, there is nothing to be found */
  async read(state: State, need: Need, compactRevision: number): Promise<void> {
    const { scanner } = state;
    switch (need.kind) {
      case "keys": {
        const isGone = need.revision > 0 && need.revision < compactRevision;
        const name = nameOf(need.interval, need.revision);
        // Only their values can be missing.
        if (this.#keys.has(name) && need.values === 0) return;
        this.#keys.set(name, isGone ? [] : await readKeys(state, need));
        return;
      }
      case "compare":
        this.#compared.set(need.compare, await compareOnDisk(state, need.compare));
        return;
      case "attached":
        if (this.#attached.has(need.lease)) return;
        this.#attached.set(need.lease, await readAttached(scanner, need.lease));
        return;
      case "history":
        this.#history = await state.pieces.read(need);
    }
  }

  /** It is of no more use: what is in front of the disk may be forgotten. */
  release(): void {
    this.#release();
  }
}

/**
 * Of all but the removal of history.
 *
 * @param isWanted whether somebody waits for what the operation reads
 */
export function needsOf(operation: LoggedOperation, isWanted: boolean): readonly Need[] {
  switch (operation.case) {
    case "delete":
      return needsOfDelete(operation.value, isWanted ? { left: Number.POSITIVE_INFINITY } : undefined);
    case "txn": {
      // One of the two lists is done: each may have all of the room.
      const room = (): Room | undefined =>
        isWanted ? { left: roomOf(operation.value.maxAnswerBytes) } : undefined;
      return needsOfTxn(operation.value, room(), room());
    }
    case "revokeLease":
      return [{ kind: "attached", lease: operation.value.id }];
    case "expireLeases":
      return operation.value.ids.map((lease) => ({ kind: "attached", lease }));
    default:
      return [];
  }
}

/** What the lists read has room, each its own; undefined if nobody waits for it. */
function needsOfTxn(
  { compares, success, failure }: TxnCommand,
  ofSuccess: Room | undefined,
  ofFailure: Room | undefined,
): readonly Need[] {
  return [
    ...compares
      .filter(({ rangeEnd }) => rangeEnd.length > 0)
      .map((compare): Need => ({ kind: "compare", compare })),
    ...success.flatMap((operation) => needsOfOperation(operation, ofSuccess)),
    ...failure.flatMap((operation) => needsOfOperation(operation, ofFailure)),
  ];
}

function needsOfOperation({ operation }: TxnOperation, room: Room | undefined): readonly Need[] {
  switch (operation.case) {
    case "range":
      return room === undefined ? [] : needsOfRange(operation.value, room);
    case "delete":
      return needsOfDelete(operation.value, room);
    case "txn":
      return needsOfTxn(operation.value, room, room);
    default:
      return [];
  }
}

function needsOfRange(operation: RangeOperation, room: Room): readonly Need[] {
  const { key, rangeEnd, revision, limit, keysOnly, countOnly, target } = operation;
  if (rangeEnd.length === 0 && revision <= 0n) return [];
  const isByValue = target === RangeTarget.VALUE;
  const most = limit > 0n && !isByValue ? Number(limit) : Number.POSITIVE_INFINITY;
  const values = countOnly || (keysOnly && !isByValue) ? 0 : most;
  const interval = intervalOf(key, rangeEnd);
  const all = { left: Number.POSITIVE_INFINITY };
  return [
    { kind: "keys", interval, revision: Math.max(0, Number(revision)), values, room: isByValue ? all : room },
  ];
}

/** @param room for what the keys were before; undefined if nobody waits for that */
function needsOfDelete(
  { key, rangeEnd, wantPrevious }: DeleteCommand,
  room: Room | undefined,
): readonly Need[] {
  if (rangeEnd.length === 0) return [];
  const values = wantPrevious && room !== undefined ? Number.POSITIVE_INFINITY : 0;
  const interval = intervalOf(key, rangeEnd);
  return [{ kind: "keys", interval, revision: 0, values, room: room ?? { left: 0 } }];
}

const nameOf = ({ from, before }: Interval, revision: number): string =>
  `${String(revision)} ${String(from.length)} ${from}${before === undefined ? "" : ` ${before}`}`;

/** Without keys that the layers in front know better: what those replace may be removed any time. */
async function readKeys(
  { scanner, overlay: { layers } }: State,
  { interval, revision, values, room }: Extract<Need, { kind: "keys" }>,
): Promise<readonly Found[]> {
  const all: Found[] = [];
  const batches =
    revision > 0 ? pastOnDisk({ scanner, layers, revision }, interval) : currentOnDisk(scanner, interval);
  for await (const batch of batches)
    for (const found of batch)
      if (madeIn(layers, found.key, revision || Number.POSITIVE_INFINITY) === undefined) all.push(found);
  if (values === 0 || revision > 0) return all;
  const known = await fittingWithValues(scanner, all.slice(0, values), room.left);
  for (const found of known) room.left = Math.max(0, room.left - bytesOf(found));
  return [...known, ...all.slice(known.length)];
}

/** As {@link Prepared.compared}. Values are compared as they are read, and not kept. */
async function compareOnDisk(
  { scanner, overlay: { layers } }: State,
  compare: Compare,
): Promise<boolean | undefined> {
  const isSo = conditionOf(compare);
  let holds: boolean | undefined;
  for await (const batch of currentOnDisk(scanner, intervalOf(compare.key, compare.rangeEnd))) {
    const saved = batch.filter(({ key }) => madeIn(layers, key, Number.POSITIVE_INFINITY) === undefined);
    for (let start = 0; start < saved.length; start += comparedKeys) {
      const slice = saved.slice(start, start + comparedKeys);
      const known = compare.target.case === "value" ? await withValues(scanner, slice) : slice;
      if (!known.every(isSo)) return false;
      holds = true;
    }
  }
  return holds;
}
