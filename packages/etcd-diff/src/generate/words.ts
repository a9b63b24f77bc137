/** The small alphabet that requests are made of, so that they meet: keys, intervals, values, revisions, ids. */
import type { Plain, PlainMessage } from "../message/plain.ts";
import type { Random } from "../random.ts";

/**
 * Prefixes of each other, neighbours, both ends of what there is. Not more than twelve: that many are sorted
 * by Go in a way that leaves equals in their order.
 */
const keys = ["\0", "a", "a\0", "aa", "ab", "b", "ba", "c", "d", "d\xff", "\xfe", "\xff\xff"] as const;
const ends = [...keys, "b\0", "e", "\xff", "\xff\xff\xff"] as const;
const values = ["", "0", "1", "v", "w", "value", "\0", "\xff\x00\xfe", "10", "9"] as const;

export const leaseIds = [1, 2, 3, 4, 5, 6] as const;

/** Fields, of which those that are undefined are not there. */
export function fields(of: Readonly<Record<string, Plain | undefined>>): PlainMessage {
  const entries = Object.entries(of).filter((entry): entry is [string, Plain] => entry[1] !== undefined);
  return Object.fromEntries(entries);
}

/** The value with this probability. */
export function sometimes<Value>(random: Random, probability: number, value: () => Value): Value | undefined {
  return random.chance(probability) ? value() : undefined;
}

/** Once in a while there is none. */
export function key(random: Random): string {
  return random.chance(0.004) ? "" : random.pick(keys);
}

/** One key, or a range of them: up to a later one, to the end of a prefix, to the end of all, or an empty one. */
export function interval(random: Random, manyness = 0.5): PlainMessage {
  if (!random.chance(manyness)) return { key: key(random) };
  return random.weighted<() => PlainMessage>([
    [4, () => ({ key: random.pick(keys), range_end: random.pick(ends) })],
    [2, () => ({ key: key(random), range_end: "\0" })],
    [1, () => ({ key: "\0", range_end: "\0" })],
    [2, () => prefix(random.pick(["a", "d", "\xff"]))],
  ])();
}

function prefix(of: string): PlainMessage {
  return { key: of, range_end: of === "\xff" ? "\0" : String.fromCharCode(of.charCodeAt(0) + 1) };
}

export function value(random: Random): Plain {
  if (random.chance(0.002)) return { repeat: "x", times: random.pick([1000, 70_000]) };
  if (random.chance(0.2)) return String(random.below(1000));
  return random.pick(values);
}

/** A revision in the past, the present or the future, or one that was given up. */
export function revision(random: Random): Plain {
  return random.weighted<() => Plain>([
    [10, () => `latest-${String(random.below(8))}`],
    [3, () => `latest-${String(random.below(60))}`],
    [1, () => `latest+${String(random.between(1, 3))}`],
    [2, () => `compacted+${String(random.below(4))}`],
    [1, () => `compacted-${String(random.between(1, 3))}`],
    [1, () => random.pick([-1, 1, 0, 2])],
  ])();
}

/** Of one of a few leases, which may or may not be there. */
export function leaseId(random: Random): number {
  return random.pick(leaseIds);
}
