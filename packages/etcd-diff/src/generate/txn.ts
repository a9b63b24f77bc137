/** Transactions: right ones, and those that are refused before anything is done. */
import type { Plain, PlainMessage } from "../message/plain.ts";
import type { Random } from "../random.ts";
import type { Step } from "../step.ts";
import { deleteRequest, putRequest, rangeRequest } from "./kv.ts";
import { fields, interval, key, leaseId, sometimes, value } from "./words.ts";

/** etcd's limit of comparisons, and of operations in each list. */
const most = 128;
const deepest = 3;

/** What is not mixed in a transaction. */
interface Mixture {
  readonly depth: number;
  /** A put that keeps what its key has, after a deletion of that key, ends an etcd. */
  readonly deletes: boolean;
  /**
   * Ranges at revisions that are not there, and puts whose key or lease is not: whether all puts are looked
   * at first differs from one etcd to the next.
   */
  readonly looksBack: boolean;
}

/** @param nesting whether there may be others in it */
export function txnStep(random: Random, nesting = true): Step {
  if (nesting && random.chance(0.01)) return { call: "KV/Txn", request: longTxn(random) };
  return {
    call: "KV/Txn",
    request: txnRequest(random, {
      depth: nesting ? 0 : deepest,
      deletes: random.chance(0.6),
      looksBack: random.chance(0.4),
    }),
  };
}

function txnRequest(random: Random, mixture: Mixture): PlainMessage {
  const isReading = random.chance(0.1);
  const operations = (): readonly Plain[] | undefined => {
    const count = random.weighted([
      [2, 0],
      [4, 1],
      [3, 2],
      [2, 3],
      [1, 5],
    ]);
    if (count === 0) return undefined;
    return Array.from({ length: count }, () =>
      isReading ? { request_range: rangeRequest(random, mixture.looksBack) } : operation(random, mixture),
    );
  };
  const compares = random.below(4);
  return fields({
    compare: compares === 0 ? undefined : Array.from({ length: compares }, () => comparison(random)),
    success: operations(),
    failure: operations(),
  });
}

function operation(random: Random, mixture: Mixture): PlainMessage {
  const { depth, deletes, looksBack } = mixture;
  const limits = { mayIgnore: !deletes && !looksBack, mayHaveLease: !looksBack };
  // One that is nothing.
  if (random.chance(0.003)) return {};
  return random.weighted<() => PlainMessage>([
    [8, () => ({ request_put: putRequest(random, limits) })],
    [6, () => ({ request_range: rangeRequest(random, looksBack) })],
    [deletes ? 4 : 0, () => ({ request_delete_range: deleteRequest(random) })],
    [depth < deepest ? 3 : 0, () => ({ request_txn: txnRequest(random, { ...mixture, depth: depth + 1 }) })],
  ])();
}

function comparison(random: Random): PlainMessage {
  // There is no ninth.
  const target = random.chance(0.005) ? 9 : random.between(0, 4);
  // Now and then what it is compared with is of another kind than what is to be compared.
  const union = random.chance(0.03) ? random.between(0, 4) : target;
  return fields({
    result: sometimes(random, 0.7, () => (random.chance(0.01) ? 9 : random.between(0, 3))),
    target: target === 0 ? undefined : target,
    ...(random.chance(0.03) ? {} : comparedWith(random, union)),
    ...(random.chance(0.2) ? interval(random, 0.9) : { key: key(random) }),
  });
}

function comparedWith(random: Random, target: number): PlainMessage {
  const recent = (): Plain => (random.chance(0.3) ? 0 : `latest-${String(random.below(12))}`);
  switch (target) {
    case 0:
      return { version: random.pick([0, 0, 1, 2, 3, -1]) };
    case 1:
      return { create_revision: recent() };
    case 2:
      return { mod_revision: recent() };
    case 3:
      return { value: value(random) };
    default:
      return { lease: random.chance(0.4) ? 0 : leaseId(random) };
  }
}

/** As many as may be, or one more; in one list, or in one that is within another. */
function longTxn(random: Random): PlainMessage {
  const count = random.pick([most, most + 1]);
  const many = (item: PlainMessage, times: number): readonly PlainMessage[] => Array(times).fill(item);
  const read = { request_range: { key: random.pick(["a", "b"]) } };
  return random.weighted<() => PlainMessage>([
    [1, () => ({ compare: many(comparison(random), count) })],
    [1, () => ({ success: many(read, count) })],
    [1, () => ({ failure: many(read, count) })],
    [1, () => ({ success: [...many(read, 7), { request_txn: { success: many(read, count - 8) } }] })],
    [1, () => ({ success: [{ request_txn: {} }, ...many(read, count - 1)] })],
  ])();
}
