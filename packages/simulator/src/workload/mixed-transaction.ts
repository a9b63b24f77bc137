/** Transactions without a purpose: what they give is judged where they are applied. */
import { CompareRelation, type TxnOperation } from "@dkv/protocol/dkv/peer/v1/command";
import type { Prng } from "../world/random.ts";
import { compareOf, deleteOf, rangeOf, setOf, txnOf } from "./operations.ts";

const relations = [
  CompareRelation.UNSPECIFIED,
  CompareRelation.GREATER,
  CompareRelation.LESS,
  CompareRelation.NOT_EQUAL,
];

/** @param value that nobody else sets */
export function mixedTransaction(random: Prng, value: string, depth = 0): ReturnType<typeof txnOf> {
  const key = (): string => `x/${String(random.below(6))}`;
  const compare = () => {
    const revision = BigInt(random.below(50));
    const target = random.pick([
      { case: "version", value: revision / 10n } as const,
      { case: "modRevision", value: revision } as const,
      { case: "createRevision", value: revision } as const,
      { case: "value", value: Buffer.from(`x${String(revision)}`) } as const,
    ]);
    const rangeEnd = Buffer.from(random.pick(["", "", "x/3", "\0"]));
    return compareOf(key(), { rangeEnd, relation: random.pick(relations), target });
  };
  const operation = (): TxnOperation["operation"] => {
    const die = random.below(depth < 2 ? 9 : 8);
    if (die < 4)
      return setOf(key(), value, { wantPrevious: random.chance(0.3), keepLease: random.chance(0.1) });
    if (die < 5) return deleteOf(key(), random.pick(["", "x/4"]), random.chance(0.5));
    if (die < 7) return { case: "range", value: rangeOf(key(), random.pick(["", "x/4", "\0"])) };
    if (die < 8) return { case: "range", value: rangeOf("x/", "x0", { revision: BigInt(random.below(80)) }) };
    return mixedTransaction(random, value, depth + 1);
  };
  const list = (): TxnOperation["operation"][] =>
    Array.from({ length: random.between(0, 3) }, () => operation());
  const compares = Array.from({ length: random.between(0, 2) }, () => compare());
  return txnOf(compares, list(), list());
}
