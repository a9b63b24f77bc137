/** Who belongs to the cluster, by a configuration: its groups say who decides, its context who they are. */
import { membersOf, type Configuration, type NodeId } from "@dkv/raft";
import { decodeMembership, type MemberRow, type Membership } from "../../codec/membership-codec.ts";
import { isAddress } from "../../platform/address.ts";

export interface TableMember extends MemberRow {
  readonly role: "voter" | "learner";
}

/**
 * Whether a member is called by an address, as one is that was added without a name. It gets the one that it
 * has when it is heard of; one that calls itself by an address keeps it.
 */
export const isUnnamed = ({ name }: Pick<MemberRow, "name">): boolean => isAddress(name);

const noMembership: Membership = { rows: [], history: 0n };

export class MembershipTable {
  /** As stored: former members too. */
  readonly rows: readonly MemberRow[];
  /** As stored: 0 before there is one. */
  readonly history: bigint;
  /** Those who belong to the cluster, in the order in which they came. */
  readonly members: readonly TableMember[];
  /** Ids of those who do no more. */
  readonly removed: ReadonlySet<NodeId>;

  constructor(configuration: Configuration) {
    const { learners, context } = configuration;
    const present = membersOf(configuration);
    const { rows, history } = context.length === 0 ? noMembership : decodeMembership(context);
    this.rows = rows;
    this.history = history;
    this.members = this.rows
      .filter(({ id }) => present.has(id))
      .map((row) => ({ ...row, role: learners.includes(row.id) ? "learner" : "voter" }));
    this.removed = new Set(this.rows.map(({ id }) => id).filter((id) => !present.has(id)));
  }

  byId(id: NodeId): TableMember | undefined {
    return this.members.find((member) => member.id === id);
  }

  /** The youngest of that name: one that takes another's place may have the same. */
  named(name: string): TableMember | undefined {
    return this.members.findLast((member) => member.name === name);
  }

  /** The learner that was added for this address without a name, and may not have started. */
  unnamedAt(peerAddress: string): TableMember | undefined {
    return this.members.find(
      (member) => member.peerAddress === peerAddress && member.role === "learner" && isUnnamed(member),
    );
  }

  /** Whether a member of that name was removed. */
  wasRemoved(name: string): boolean {
    return this.rows.some((row) => row.name === name && this.removed.has(row.id));
  }

  get voters(): readonly TableMember[] {
    return this.members.filter(({ role }) => role === "voter");
  }

  nameOf(id: NodeId): string {
    return this.rows.find((row) => row.id === id)?.name ?? id.toString(16);
  }
}
