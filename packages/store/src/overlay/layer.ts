/** What was applied between two saves. */
import { type ByteString, toByteString } from "../bytes.ts";
import { isAttachment, leasePartOf } from "../keyspace/lease-records.ts";
import type { Interval } from "../read/interval.ts";
import type { Revision } from "../results.ts";
import type { RecordChange } from "../storage.ts";
import type { Change, Made } from "../version.ts";
import { SortedKeys } from "./sorted-keys.ts";

/** Roughly what a change costs beyond its key and value: map slots, string headers, objects. */
const changeOverheadBytes = 300;

/** Roughly what a record costs beyond its key and value. */
const recordOverheadBytes = 150;

const none: readonly ByteString[] = [];

export class Layer {
  /** What became of each key last, in the order in which keys were first touched. */
  readonly current = new Map<ByteString, Made>();
  /** In the order of their places. */
  readonly changes: Change[] = [];
  /** Of the small tables, by the bytes of their keys. Undefined: deleted. */
  readonly records = new Map<ByteString, Uint8Array | undefined>();
  /** Of the history, perhaps of this very layer. */
  readonly removed: Uint8Array[] = [];
  readonly #keys = new SortedKeys();
  /** The keys of {@link records} that say which keys go with a lease, by that lease: many may end at once. */
  readonly #attachments = new Map<ByteString, Set<ByteString>>();
  /** What changed keys were made here before {@link current}, ascending; only of those that were. */
  readonly #earlier = new Map<ByteString, Made[]>();
  #bytes = 0;

  /** Memory that it takes, roughly. */
  get bytes(): number {
    return this.#bytes;
  }

  add(change: Change): void {
    const { key, made } = change;
    const before = this.current.get(key);
    if (before === undefined) this.#keys.add(key);
    else this.#keepEarlier(key, before);
    this.current.set(key, made);
    this.changes.push(change);
    this.#bytes += changeOverheadBytes + key.length + (made.isDeleted ? 0 : made.value.length);
  }

  put({ key, value }: RecordChange): void {
    const text = toByteString(key);
    this.records.set(text, value);
    if (isAttachment(key)) this.#noteAttachment(text);
    this.#bytes += recordOverheadBytes + key.length + (value?.length ?? 0);
  }

  remove(key: Uint8Array): void {
    this.removed.push(key);
    this.#bytes += recordOverheadBytes;
  }

  /** The keys in {@link records} of what became of a lease's attachments. @param lease as {@link leasePartOf} has it */
  attachmentsOf(lease: ByteString): Iterable<ByteString> {
    return this.#attachments.get(lease) ?? none;
  }

  /** What the key was made last up to and with a revision; undefined if this layer has nothing of it. */
  at(key: ByteString, revision: Revision): Made | undefined {
    const latest = this.current.get(key);
    if (latest === undefined || latest.modRevision <= revision) return latest;
    return this.#earlier.get(key)?.findLast((made) => made.modRevision <= revision);
  }

  /** Those that were changed, in their order. */
  keysWithin(interval: Interval): readonly ByteString[] {
    return this.#keys.within(interval);
  }

  #noteAttachment(text: ByteString): void {
    const lease = leasePartOf(text);
    const noted = this.#attachments.get(lease);
    if (noted === undefined) this.#attachments.set(lease, new Set([text]));
    else noted.add(text);
  }

  #keepEarlier(key: ByteString, made: Made): void {
    const earlier = this.#earlier.get(key);
    if (earlier === undefined) this.#earlier.set(key, [made]);
    else earlier.push(made);
  }
}

/**
 * What a key was made last up to and with a revision; undefined if the layers have nothing of it.
 *
 * @param layers newest first
 */
export function madeIn(layers: readonly Layer[], key: ByteString, revision: Revision): Made | undefined {
  for (const layer of layers) {
    const made = layer.at(key, revision);
    if (made !== undefined) return made;
  }
  return undefined;
}
