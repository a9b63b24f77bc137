/** Who belongs to the cluster, and who did, by the configurations that were committed. */
import type { ConfigurationAt, LogIndex, NodeId, RaftNode } from "@dkv/raft";
import { MembershipTable, type TableMember } from "@dkv/server/consensus/membership/table";
import type { SimStorage } from "../disk/sim-storage.ts";
import type { Probes } from "../world/probes.ts";

/** What one machine knows. */
interface Source {
  readonly storage: SimStorage | undefined;
  readonly member: { readonly node: RaftNode } | undefined;
}

export class Roster {
  readonly #probes: Probes;
  /** The newest that was committed. */
  #newest: ConfigurationAt;
  #table: MembershipTable;

  constructor(founders: ConfigurationAt, probes: Probes) {
    this.#probes = probes;
    this.#newest = founders;
    this.#table = new MembershipTable(founders.configuration);
  }

  /** Those who belong to the cluster, also those who are leaving it together with others. */
  get members(): readonly TableMember[] {
    return this.#table.members;
  }

  /** A leader has done something. */
  observe(node: RaftNode): void {
    const { configuration, commit } = node.status();
    if (configuration.index <= commit) this.#committed(configuration);
  }

  /** Whether a committed configuration lacks the member, as somebody knows who perhaps leads no more. */
  isRemoved(id: NodeId, sources: readonly Source[]): boolean {
    for (const source of sources) {
      const known = committedBy(source);
      if (known !== undefined) this.#committed(known);
    }
    return this.#table.removed.has(id);
  }

  #committed(at: ConfigurationAt): void {
    if (at.index <= this.#newest.index) return;
    const before = this.#table;
    const after = new MembershipTable(at.configuration);
    this.#newest = at;
    this.#table = after;
    for (const member of after.members) this.#arrived(before.byId(member.id), member);
    for (const { id } of before.members) if (after.removed.has(id)) this.#probes.reached("member left");
  }

  #arrived(before: TableMember | undefined, { role }: TableMember): void {
    if (before === undefined) this.#probes.reached("member joined");
    if (before?.role !== "learner" || role !== "voter") return;
    this.#probes.reached("learner promoted");
    if (before.replaces !== undefined) this.#probes.reached("member replaced");
  }
}

function committedBy({ storage, member }: Source): ConfigurationAt | undefined {
  if (storage === undefined) return undefined;
  const commit: LogIndex = member?.node.status().commit ?? storage.durableHardState.commit;
  return storage.configurations.findLast(({ index }) => index <= commit);
}
