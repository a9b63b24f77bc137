/** Whether the comparisons of a transaction hold. */
import { type Compare, CompareRelation } from "@dkv/protocol/dkv/peer/v1/command";
import { type ByteString, toByteString } from "../bytes.ts";
import { compareKeys } from "../overlay/sorted-keys.ts";
import { type Found, foundVersion } from "../read/found.ts";
import { intervalOf } from "../read/interval.ts";
import type { Facts } from "../version.ts";
import type { Reading } from "./reading.ts";

/** For an interval: of each key that exists in it; of a missing key if there is none. */
export function holds(reading: Reading, compare: Compare): boolean {
  const { key, rangeEnd, target } = compare;
  const isSo = conditionOf(compare);
  if (rangeEnd.length === 0) {
    const text = toByteString(key);
    return isSo(target.case === "value" ? withValue(reading, text) : withoutValue(reading, text));
  }
  const onDisk = reading.compared(compare);
  const inFront = reading.unsavedKeys(intervalOf(key, rangeEnd));
  if (onDisk === undefined && inFront.length === 0) return isSo(undefined);
  return onDisk !== false && inFront.every(isSo);
}

/**
 * What a comparison asks of one key; undefined: of a missing one, which has 0 for everything, and no value.
 * Of one that exists the value has to be known if it is compared.
 */
export function conditionOf({ relation, target }: Compare): (found: Found | undefined) => boolean {
  if (target.case === "value") {
    const wanted = toByteString(target.value);
    return (found) => found?.value !== undefined && isRelated(compareKeys(found.value, wanted), relation);
  }
  const wanted = target.value ?? 0n;
  return (found) => {
    const actual = factOf(found?.facts, target.case);
    return isRelated(actual < wanted ? -1 : actual > wanted ? 1 : 0, relation);
  };
}

function withValue({ scope }: Reading, key: ByteString): Found | undefined {
  const version = scope.version(key);
  return version && foundVersion(key, version);
}

function withoutValue({ scope }: Reading, key: ByteString): Found | undefined {
  const facts = scope.facts(key);
  return facts && { key, facts, value: undefined };
}

function factOf(facts: Facts | undefined, target: Exclude<Compare["target"]["case"], "value">): bigint {
  if (facts === undefined) return 0n;
  switch (target) {
    case "createRevision":
      return BigInt(facts.createRevision);
    case "modRevision":
      return BigInt(facts.modRevision);
    case "lease":
      return facts.lease;
    default:
      return BigInt(facts.version);
  }
}

/** @param sign of the difference between what is and what is given */
function isRelated(sign: number, relation: CompareRelation): boolean {
  switch (relation) {
    case CompareRelation.GREATER:
      return sign > 0;
    case CompareRelation.LESS:
      return sign < 0;
    case CompareRelation.NOT_EQUAL:
      return sign !== 0;
    default:
      return sign === 0;
  }
}
