/** What keys were before the revision that changed them: every change names the place where that was made. */
import { assert } from "../assert.ts";
import { changeKey, decodeChange } from "../keyspace/change-record.ts";
import { DamagedRecordError } from "../keyspace/record.ts";
import { madeIn } from "../overlay/layer.ts";
import type { KeyValue, Revision } from "../results.ts";
import type { Change, Made, Place } from "../version.ts";
import { recordsOf } from "./disk-keys.ts";
import { keyValueOf } from "./found.ts";
import type { Moment } from "./moment.ts";

interface Sought {
  /** In the list of changes. */
  readonly at: number;
  readonly place: Place;
}

/**
 * In the order of the changes; undefined for a key that did not exist, or of which that was given up.
 *
 * @param compacted the oldest revision that can be read, as it is once all was read
 */
export async function readPrevious(
  { scanner, layers }: Pick<Moment, "scanner" | "layers">,
  changes: readonly Change[],
  compacted: () => Revision,
): Promise<readonly (KeyValue | undefined)[]> {
  const found: (Made | undefined)[] = [];
  const onDisk: Sought[] = [];
  for (const [at, { key, previous: place }] of changes.entries()) {
    const made = place && madeIn(layers, key, place.revision);
    const isIt = place !== undefined && made?.modRevision === place.revision && made.sub === place.sub;
    found.push(isIt ? made : undefined);
    if (place !== undefined && !isIt) onDisk.push({ at, place });
  }
  const keys = onDisk.map(({ place }) => changeKey(place));
  const records = await recordsOf(scanner, keys);
  for (const [position, { at }] of onDisk.entries()) {
    const [key, record] = [keys[position], records[position]];
    if (key !== undefined && record !== undefined) found[at] = decodeChange(key, record).made;
    else if ((changes[at]?.made.modRevision ?? 0) > compacted())
      throw new DamagedRecordError(
        "a version that a change has replaced is not stored, and was not given up",
      );
  }
  return changes.map(({ key }, at) => keyValueIn(key, found[at]));
}

function keyValueIn(key: Change["key"], made: Made | undefined): KeyValue | undefined {
  if (made === undefined) return undefined;
  assert(!made.isDeleted, "what a change has replaced is the work of a set");
  return keyValueOf(key, made, made.value);
}
