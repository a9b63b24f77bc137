/**
 * Which segments there are, and at which of them the log could begin.
 *
 *   segment    7          8          9             10
 *   entries    90‥117     118‥130    131‥140       139‥150
 *   after      89         117        130           140, until 139 came: without the segments before it there
 *                                                  would be a gap, so the log cannot begin there
 *
 * The log can begin at a segment if no entry from before it was replaced since: then what the segment and
 * those behind it hold are all entries after the one that was last when it was begun, and no others.
 */
import type { LogIndex } from "@dkv/raft";

export interface Segment {
  readonly number: number;
  /** Size of its file. */
  readonly bytes: number;
  /** Number of its first record. */
  readonly record: number;
  /** The checksum that this record continues. */
  readonly chain: number;
  /** The last entry of the log when it was begun. */
  readonly after: LogIndex;
}

export class Segments {
  #all: readonly Segment[] = [];
  /** Those at which the log could begin, ascending. */
  #beginnings: Segment[] = [];
  #bytes = 0;

  /** Size of all their files. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The log goes on in this one. */
  add(segment: Segment): void {
    this.#all = [...this.#all, segment];
    this.#beginnings.push(segment);
    this.#bytes += segment.bytes;
  }

  /** Entries were appended in place of those from `first` on. */
  replacedFrom(first: LogIndex): void {
    while ((this.#beginnings.at(-1)?.after ?? 0) >= first) this.#beginnings.pop();
  }

  /**
   * The last one where the log can begin so that it lacks no entry after `limit`, and has at least one record,
   * for the hard state is in the records. Undefined if that is where it begins already.
   */
  beginning(limit: LogIndex, lastRecord: number): Segment | undefined {
    const found = this.#beginnings.findLast(({ after, record }) => after <= limit && record <= lastRecord);
    return found === this.#all[0] ? undefined : found;
  }

  /** Forgets all before this one, and returns their numbers. */
  dropBefore(number: number): readonly number[] {
    const dropped = this.#all.filter((segment) => segment.number < number);
    this.#all = this.#all.slice(dropped.length);
    this.#beginnings = this.#beginnings.filter((segment) => segment.number >= number);
    for (const { bytes } of dropped) this.#bytes -= bytes;
    return dropped.map((segment) => segment.number);
  }
}
