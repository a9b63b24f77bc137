/** Reads the keys of an interval beside applying, in slices that leave the event loop free in between. */
import type { KeyValue } from "../results.ts";
import type { StateScanner } from "../storage.ts";
import { currentOnDisk, pastOnDisk, readVersions } from "./disk-keys.ts";
import { type Found, keyValueOf } from "./found.ts";
import { MergedKeys } from "./merged-keys.ts";
import type { Moment } from "./moment.ts";
import type { Query } from "./query.ts";
import { needsValues, Selection } from "./selection.ts";

/** Values fetched at a time. */
const sliceKeys = 1000;

export interface Ranged {
  readonly found: readonly KeyValue[];
  readonly hasMore: boolean;
  readonly count: number;
}

/**
 * Throws RemovedError if what is read was removed meanwhile.
 *
 * @param query of a revision that there is, and that was not given up
 */
export async function readRange(moment: Moment, query: Query): Promise<Ranged> {
  const { scanner } = moment;
  const selection = new Selection(query);
  for await (const batch of keysAt(moment, query)) selection.add(batch);
  const { count, candidates } = selection;
  const known = needsValues(query) ? await withValues(scanner, candidates) : candidates;
  const { found, hasMore } = selection.finish(known);
  if (query.keysOnly) return { found: found.map(withoutValue), hasMore, count };
  const complete = await withValues(scanner, found);
  return {
    found: complete.map(({ key, facts, value }) => keyValueOf(key, facts, value ?? "")),
    hasMore,
    count,
  };
}

/** All keys of the interval that there were, some at a time, in their order, some of them with their values. */
export async function* keysAt(moment: Moment, query: Query): AsyncGenerator<readonly Found[]> {
  const { scanner, layers } = moment;
  const isPast = query.revision !== 0 && query.revision < moment.revision;
  const revision = isPast ? query.revision : moment.revision;
  const disk = isPast
    ? pastOnDisk({ scanner, layers, revision }, query.interval)
    : currentOnDisk(scanner, query.interval);
  const merged = new MergedKeys(layers, query.interval, revision);
  for await (const batch of disk) yield merged.through(batch);
  yield merged.rest();
}

export const withoutValue = ({ key, facts }: Found): KeyValue => keyValueOf(key, facts, "");

/** The same keys, each with its value. */
export async function withValues(scanner: StateScanner, list: readonly Found[]): Promise<readonly Found[]> {
  const complete: Found[] = [];
  for (let start = 0; start < list.length; start += sliceKeys)
    complete.push(...(await sliceWithValues(scanner, list.slice(start, start + sliceKeys))));
  return complete;
}

async function sliceWithValues(scanner: StateScanner, slice: readonly Found[]): Promise<readonly Found[]> {
  const missing = slice.filter(({ value }) => value === undefined);
  if (missing.length === 0) return slice;
  const versions = await readVersions(
    scanner,
    missing.map(({ facts }) => ({ revision: facts.modRevision, sub: facts.sub })),
  );
  let next = 0;
  return slice.map((found) => {
    if (found.value !== undefined) return found;
    const value = versions[next]?.value;
    next += 1;
    return { ...found, value };
  });
}
