/**
 * Whom this member talks to: everybody in the configuration in force, and, until that one is committed and
 * applied here, everybody in the one before. A leader that is removed needs the others' answers to learn that
 * its removal is committed, and so does whoever waits for it there. At a start what is known to be committed
 * is as good as applied.
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
    const { members } = this.#latest;
    const leaving = this.#applied.members.filter(({ id }) => members.every((member) => member.id !== id));
    const removed = [...this.#latest.removed].filter((id) => leaving.every((member) => member.id !== id));
    this.#transport.setPeers([...members, ...leaving], new Set(removed));
  }
}
