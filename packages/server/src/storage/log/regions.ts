/**
 * Where in the files the entries are: not each of them, but regions of about 64 KiB, so that a log of
 * gigabytes costs little memory.
 *
 *   entries   1‥40  41‥119 │ 120‥121  122‥150 │ 90‥95  96‥97
 *             region 1     │ region 120       │ region 90: a new leader has replaced all from there on
 *
 * Invariants: a region's records lie side by side in one segment, and their entries run without a gap;
 * first indices rise from one region to the next, so region 120 goes when 90 comes; entry i is in
 * the last region that does not begin after i.
 */
import type { LogIndex } from "@dkv/raft";

const regionBytes = 64 * 1024;

export interface Region {
  /** Indices of the first and the last entry in it. The last ones may have been replaced. */
  readonly first: LogIndex;
  readonly last: LogIndex;
  readonly segment: number;
  readonly offset: number;
  /** Behind its last record. */
  readonly end: number;
  /** What the checksum of its first record continues. */
  readonly chain: number;
}

export class Regions {
  readonly #regions: Region[] = [];

  /** The log now ends with this record, which has entries. */
  add(record: Region): void {
    while ((this.#regions.at(-1)?.first ?? 0) >= record.first) this.#regions.pop();
    const last = this.#regions.at(-1);
    if (last !== undefined && isContinuedBy(last, record)) {
      this.#regions[this.#regions.length - 1] = { ...last, last: record.last, end: record.end };
    } else {
      this.#regions.push(record);
    }
  }

  /** Forgets the segments before this one. Requires that no entry of the log's lies in them any more. */
  dropBefore(segment: number): void {
    const kept = this.#regions.findIndex((region) => region.segment >= segment);
    this.#regions.splice(0, kept === -1 ? this.#regions.length : kept);
  }

  /** The region that holds an entry of the log, and the index from which on later ones hold the rest. */
  find(index: LogIndex): { readonly region: Region; readonly before: number } | undefined {
    let low = 0;
    let high = this.#regions.length;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((this.#regions[middle]?.first ?? 0) <= index) low = middle + 1;
      else high = middle;
    }
    const region = this.#regions[low - 1];
    if (region === undefined) return undefined;
    return { region, before: this.#regions[low]?.first ?? Number.POSITIVE_INFINITY };
  }
}

function isContinuedBy(region: Region, record: Region): boolean {
  return (
    region.segment === record.segment &&
    region.end === record.offset &&
    region.last + 1 === record.first &&
    region.end - region.offset < regionBytes
  );
}
