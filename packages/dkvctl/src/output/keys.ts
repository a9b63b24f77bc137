/** Keys in the rows of a table. */
import type { KeyValue } from "@dkv/client";

import { leaseText } from "../values.ts";
import { valueCell } from "./table.ts";

/** A key in a cell; one that is no text in base64. */
export function keyCell({ key, rawKey }: Pick<KeyValue, "key" | "rawKey">): string {
  return valueCell(rawKey ?? Buffer.from(key));
}

export const metaTitles: readonly string[] = ["Create Revision", "Mod Revision", "Version", "Lease"];

export function metaCells({
  createRevision,
  modRevision,
  version,
  lease,
}: Omit<KeyValue, "key" | "rawKey" | "value">): readonly string[] {
  const leaseCell = lease === undefined ? "" : leaseText(lease);
  return [`${createRevision}`, `${modRevision}`, `${version}`, leaseCell];
}
