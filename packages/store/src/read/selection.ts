import { RangeOrder, RangeTarget } from "@dkv/protocol/dkv/peer/v1/command";
import type { Found } from "./found.ts";
import { isSorted, type Query, takesFirst } from "./query.ts";

/** Those of the keys found that a query wants, as etcd selects them (3.7). */
export class Selection {
  readonly #query: Query;
  readonly #most: number;
  readonly #found: Found[] = [];
  #count = 0;

  constructor(query: Query) {
    this.#query = query;
    this.#most = takesFirst(query) ? query.limit : Number.POSITIVE_INFINITY;
  }

  /** Keys in their order. */
  add(batch: readonly Found[]): void {
    const { countOnly, modRevisions, createRevisions } = this.#query;
    this.#count += batch.length;
    if (countOnly) return;
    for (const found of batch) {
      // One more than wanted tells that there are more.
      if (this.#found.length > this.#most) return;
      const { modRevision, createRevision } = found.facts;
      if (modRevision < modRevisions.least || modRevision > modRevisions.most) continue;
      if (createRevision < createRevisions.least || createRevision > createRevisions.most) continue;
      this.#found.push(found);
    }
  }

  /** Of the interval, whatever is selected. */
  get count(): number {
    return this.#count;
  }

  /** To be given their values before {@link finish}, if that is what they are ordered by. */
  get candidates(): readonly Found[] {
    return this.#found;
  }

  /** @param candidates those of before, with values perhaps */
  finish(candidates: readonly Found[]): { readonly found: readonly Found[]; readonly hasMore: boolean } {
    const { limit } = this.#query;
    const hasMore = candidates.length > limit;
    const cut = (list: readonly Found[]): readonly Found[] => (hasMore ? list.slice(0, limit) : list);
    if (!isSorted(this.#query)) return { found: cut(candidates), hasMore };
    // Without an order the first keys are taken, one more than wanted, and then sorted: etcd does so.
    return { found: cut(sorted(candidates, this.#query)), hasMore };
  }
}

/** Whether values have to be known before keys can be put in order. */
export const needsValues = ({ target }: Query): boolean => target === RangeTarget.VALUE;

function sorted(list: readonly Found[], { order, target }: Query): readonly Found[] {
  const sign = order === RangeOrder.DESCENDING ? -1 : 1;
  const compare = comparisons[target] ?? byKey;
  return list.toSorted((a, b) => sign * compare(a, b));
}

const byKey = (a: Found, b: Found): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

const comparisons: Readonly<Record<number, (a: Found, b: Found) => number>> = {
  [RangeTarget.UNSPECIFIED]: byKey,
  [RangeTarget.VERSION]: (a, b) => a.facts.version - b.facts.version,
  [RangeTarget.CREATE_REVISION]: (a, b) => a.facts.createRevision - b.facts.createRevision,
  [RangeTarget.MOD_REVISION]: (a, b) => a.facts.modRevision - b.facts.modRevision,
  [RangeTarget.VALUE]: ({ value: a = "" }, { value: b = "" }) => (a < b ? -1 : a > b ? 1 : 0),
};
