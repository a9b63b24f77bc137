/** Reads changes in the order in which they were made. */
import {
  type ChangeOutline,
  changeRange,
  decodeChange,
  decodeOutline,
  outlineOf,
  placeIn,
} from "../keyspace/change-record.ts";
import type { Layer } from "../overlay/layer.ts";
import type { Revision } from "../results.ts";
import type { StateScanner } from "../storage.ts";
import { type Change, type Place, placeOf } from "../version.ts";

export interface HistoryMoment {
  readonly scanner: StateScanner;
  /** Newest first. */
  readonly layers: readonly Layer[];
}

export interface HistoryRange {
  readonly from: Place;
  /** All changes of this revision included. */
  readonly through: Revision;
  /** More are not wanted; there may be more all the same. */
  readonly most?: number;
}

/**
 * Those from one place on, up to and with a revision, some at a time. What was removed is not among them: who
 * must not miss any looks at the compaction afterwards.
 */
export const readHistory = (
  moment: HistoryMoment,
  from: Place,
  through: Revision,
): AsyncGenerator<readonly Change[]> =>
  readAs(moment, { from, through }, { ofRecord: decodeChange, ofChange: (change) => change });

/** As {@link readHistory}, without what was made. */
export const readOutlines = (
  moment: HistoryMoment,
  range: HistoryRange,
): AsyncGenerator<readonly ChangeOutline[]> =>
  readAs(moment, range, { ofRecord: decodeOutline, ofChange: outlineOf });

/** What a change is read as. */
interface Form<Read> {
  ofRecord(this: void, key: Uint8Array, record: Uint8Array): Read;
  ofChange(this: void, change: Change): Read;
}

async function* readAs<Read>(
  { scanner, layers }: HistoryMoment,
  { from, through, most }: HistoryRange,
  { ofRecord, ofChange }: Form<Read>,
): AsyncGenerator<readonly Read[]> {
  const unsaved = layers
    .toReversed()
    .flatMap(({ changes }) =>
      changes.filter(({ made }) => made.modRevision <= through && !isBefore(placeOf(made), from)),
    );
  const [firstUnsaved] = unsaved;
  for await (const records of scanner.scan(changeRange(from, through), most)) {
    // What is in a layer may be on the disk as well.
    const saved =
      firstUnsaved === undefined
        ? records
        : records.filter(([key]) => isBefore(placeIn(key), placeOf(firstUnsaved.made)));
    yield saved.map(([key, record]) => ofRecord(key, record));
  }
  if (unsaved.length > 0) yield unsaved.map(ofChange);
}

const isBefore = (one: Place, other: Place): boolean =>
  one.revision < other.revision || (one.revision === other.revision && one.sub < other.sub);
