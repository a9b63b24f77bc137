/** What the table lacks of members that have started since they were added. Pure. */
import type { NodeId } from "@dkv/raft";
import type { MemberRow } from "../../codec/membership-codec.ts";
import { isUnnamed, type MembershipTable } from "./table.ts";

/** What a member has told of itself. */
export interface Started {
  /** Of its data directory; 0 if it is not known. */
  readonly incarnation: bigint;
  /** How it calls itself; empty if it is not known. */
  readonly ownName: string;
}

/** The rows with it, or undefined if they have it already. */
export function noteStarted(
  table: MembershipTable,
  knownOf: (id: NodeId) => Started | undefined,
): readonly MemberRow[] | undefined {
  const taken = new Set(table.members.map(({ name }) => name));
  const noted = table.rows.map((row) => {
    const known = table.removed.has(row.id) ? undefined : knownOf(row.id);
    if (known === undefined) return row;
    const isNewName = isUnnamed(row) && known.ownName !== "" && !taken.has(known.ownName);
    const isNewDirectory = row.incarnation === 0n && known.incarnation !== 0n;
    if (!isNewName && !isNewDirectory) return row;
    if (isNewName) taken.add(known.ownName);
    return {
      ...row,
      ...(isNewName && { name: known.ownName }),
      ...(isNewDirectory && { incarnation: known.incarnation }),
    };
  });
  return noted.some((row, at) => row !== table.rows[at]) ? noted : undefined;
}
