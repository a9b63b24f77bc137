/** Requests to the keys. */
import type { Plain, PlainMessage } from "../message/plain.ts";
import type { Random } from "../random.ts";
import type { Step } from "../step.ts";
import { fields, interval, key, leaseId, revision, sometimes, value } from "./words.ts";

/**
 * What a Range takes, alone or in a transaction.
 *
 * @param mayLookBack whether it may ask for a revision
 */
export function rangeRequest(random: Random, mayLookBack = true): PlainMessage {
  const isPlain = random.chance(0.5);
  const at = mayLookBack ? revisionOf(random) : {};
  if (isPlain) return { ...interval(random), ...at };
  return fields({
    ...interval(random, 0.85),
    ...at,
    limit: sometimes(random, 0.4, () => random.pick([1, 1, 2, 3, 5, 100, -1])),
    sort_order: sometimes(random, 0.4, () => random.between(0, 2)),
    sort_target: sometimes(random, 0.4, () => random.between(0, 4)),
    serializable: sometimes(random, 0.3, () => true),
    keys_only: sometimes(random, 0.2, () => true),
    count_only: sometimes(random, 0.15, () => true),
    ...bounds(random),
  });
}

/** Filters by revisions; often none. */
function bounds(random: Random): Readonly<Record<string, Plain | undefined>> {
  if (random.chance(0.7)) return {};
  const bound = (): Plain | undefined => sometimes(random, 0.35, () => `latest-${String(random.below(20))}`);
  return {
    min_mod_revision: bound(),
    max_mod_revision: bound(),
    min_create_revision: bound(),
    max_create_revision: bound(),
  };
}

function revisionOf(random: Random): PlainMessage {
  return random.chance(0.3) ? { revision: revision(random) } : {};
}

export interface PutLimits {
  /** Whether it may ask for what the key has already to be kept. */
  readonly mayIgnore: boolean;
  readonly mayHaveLease: boolean;
}

const unlimited: PutLimits = { mayIgnore: true, mayHaveLease: true };

export function putRequest(random: Random, { mayIgnore, mayHaveLease } = unlimited): PlainMessage {
  const ignoresValue = mayIgnore && random.chance(0.06);
  const ignoresLease = mayIgnore && random.chance(0.06);
  return fields({
    key: key(random),
    // Both at once is an error.
    value: ignoresValue && random.chance(0.8) ? undefined : value(random),
    lease: mayHaveLease ? sometimes(random, ignoresLease ? 0.1 : 0.15, () => leaseId(random)) : undefined,
    prev_kv: sometimes(random, 0.3, () => true),
    ignore_value: ignoresValue ? true : undefined,
    ignore_lease: ignoresLease ? true : undefined,
  });
}

export function deleteRequest(random: Random): PlainMessage {
  const isWide = random.chance(0.02);
  const which = isWide ? { key: "\0", range_end: "\0" } : interval(random, 0.3);
  return fields({ ...which, prev_kv: sometimes(random, 0.4, () => true) });
}

export function kvStep(random: Random): Step {
  return random.weighted<() => Step>([
    [30, () => ({ call: "KV/Put", request: putRequest(random) })],
    [45, () => ({ call: "KV/Range", request: rangeRequest(random) })],
    [10, () => ({ call: "KV/DeleteRange", request: deleteRequest(random) })],
  ])();
}

/** More than fits into a request, and more than fits into a message. */
export function hugeStep(random: Random): Step {
  const times = random.pick([1_700_000, 2_500_000]);
  return { call: "KV/Put", request: { key: key(random), value: { repeat: "h", times } } };
}

/** What is left of history begins nearer and nearer to its end. */
export function compactStep(random: Random): Step {
  const at = random.weighted<() => Plain>([
    [8, () => `latest-${String(random.below(50))}`],
    [2, () => "latest"],
    [1, () => `latest+${String(random.between(1, 2))}`],
    [1, () => "compacted"],
    [1, () => `compacted${random.pick(["-1", "+1"])}`],
    [1, () => random.pick([0, -1, 1])],
  ])();
  // Otherwise etcd hashes keys of which it is not determined whether they have gone yet.
  return { call: "KV/Compact", request: { revision: at, physical: true } };
}
