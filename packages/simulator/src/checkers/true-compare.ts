/** Whether a comparison of a transaction holds. */
import { type Compare, CompareRelation } from "@dkv/protocol/dkv/peer/v1/command";
import { keyText } from "../disk/platter.ts";
import { select } from "./select.ts";
import type { TrueVersion } from "./true-state.ts";

/** @param keys as they were before the whole transaction */
export function holds(keys: ReadonlyMap<string, TrueVersion>, compare: Compare): boolean {
  const found = select(keys, { key: keyText(compare.key), rangeEnd: keyText(compare.rangeEnd) });
  if (found.length === 0) return isSo(undefined, compare);
  return found.every(([, version]) => isSo(version, compare));
}

function isSo(version: TrueVersion | undefined, { target, relation }: Compare): boolean {
  if (target.case === "value")
    return version !== undefined && related(version.value, keyText(target.value), relation);
  const { createRevision = 0, modRevision = 0, version: count = 0, lease = 0n } = version ?? {};
  const facts = { createRevision, modRevision, version: count, lease };
  return related(BigInt(facts[target.case ?? "version"]), target.value ?? 0n, relation);
}

function related<Value extends string | bigint>(is: Value, given: Value, relation: CompareRelation): boolean {
  switch (relation) {
    case CompareRelation.GREATER:
      return is > given;
    case CompareRelation.LESS:
      return is < given;
    case CompareRelation.NOT_EQUAL:
      return is !== given;
    default:
      return is === given;
  }
}
