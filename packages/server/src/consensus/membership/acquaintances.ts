/**
 * Whom this member talks to: everybody in the configuration in force, and everybody who is in it no more
 * unless that is committed and applied here. A leader that is removed needs the others' answers to learn that
 * its removal is committed, and so does whoever waits for it there. At a start what is known to be committed
 * is as good as applied.
 *
 *       applied          in force, not committed
 *     {m1, m2, m3}  ...  {m1, m2, m3, m4}  {m1, m2, m3}
 *                                           a member that has just received all this does not know m4 as one
 *                                           that stays, and must not tell it that it was removed either
 *
 * A new member begins with the configuration that it was introduced with, as applied, and then receives the
 * log from its start: then the one in force is the older one for a while.
 */
import { type ConfigurationAt, type LogIndex, type NodeId } from "@dkv/raft";
import type { PeerTransport } from "../../transport/peer-transport.ts";
import { MembershipTable } from "./table.ts";

export class Acquaintances {
  readonly #transport: Pick<PeerTransport, "setPeers">;
  #latest: MembershipTable;
  #applied: MembershipTable;

  /** @param configurations of the log, ascending; those up to `committed` are in force for good */
  constructor(
    transport: Pick<PeerTransport, "setPeers">,
    configurations: readonly [ConfigurationAt, ...ConfigurationAt[]],
    committed: LogIndex,
  ) {
    const [base] = configurations;
    const settled = configurations.findLast(({ index }) => index <= committed) ?? base;
    this.#transport = transport;
    this.#applied = new MembershipTable(settled.configuration);
    this.#latest = new MembershipTable((configurations.at(-1) ?? base).configuration);
    this.#tell();
  }

  /** Another configuration is in force, committed or not. */
  changed(table: MembershipTable): void {
    this.#latest = table;
    this.#tell();
  }

  /** A configuration is in force for good. Returns whether this member is not in it any more. */
  settled(table: MembershipTable, self: NodeId): boolean {
    this.#applied = table;
    this.#tell();
    return table.removed.has(self);
  }

  #tell(): void {
    const { members, rows } = this.#latest;
    const { removed: gone } = this.#applied;
    const leaving = rows.filter(({ id }) => this.#latest.removed.has(id) && !gone.has(id));
    const removed = [...gone].filter((id) => this.#latest.byId(id) === undefined);
    this.#transport.setPeers([...members, ...leaving], new Set(removed));
  }
}
