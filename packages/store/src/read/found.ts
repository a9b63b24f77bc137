import { type ByteString, fromByteString } from "../bytes.ts";
import type { KeyValue } from "../results.ts";
import type { Facts, Version } from "../version.ts";

/** A key that exists, as far as it was looked at. */
export interface Found {
  readonly key: ByteString;
  readonly facts: Facts;
  /** Undefined if it was not read yet. */
  readonly value: ByteString | undefined;
}

export const foundVersion = (key: ByteString, version: Version): Found => ({
  key,
  facts: version,
  value: version.value,
});

export function keyValueOf(key: ByteString, facts: Facts, value: ByteString): KeyValue {
  const { createRevision, modRevision, version, lease } = facts;
  return {
    key: fromByteString(key),
    value: fromByteString(value),
    createRevision,
    modRevision,
    version,
    lease,
  };
}
