/** What a member tells others of its cluster. */
import { encodeConfiguration, type NodeStatus } from "@dkv/raft";
import type { Store } from "@dkv/store";
import type { Hello } from "../../codec/handshake-codec.ts";
import type { Storage } from "../../storage/storage.ts";
import type { KnownMember } from "../../transport/options.ts";
import { MembershipTable } from "./table.ts";

/** What is not applied may be replaced yet, and another history with it. */
export function historyOf(
  { configurations }: Pick<Storage, "configurations">,
  { appliedIndex }: Pick<Store, "appliedIndex">,
): bigint {
  const [base] = configurations;
  const { configuration } = configurations.findLast(({ index }) => index <= appliedIndex) ?? base;
  return new MembershipTable(configuration).history;
}

interface Informed {
  status(): Pick<NodeStatus, "configuration" | "commit" | "leader">;
}

/**
 * Who a new member is, once it is certain that it was added. Followers answer too, as the only address that
 * the new one was given may be a follower's; but none that hears no leader: what it knows may be long over.
 * Who was added without a name is found by its address.
 */
export function introduce(
  node: Informed,
  { name, peerAddress: asking }: Pick<Hello, "name" | "peerAddress">,
): KnownMember | undefined {
  const { configuration: latest, commit, leader } = node.status();
  if (leader === undefined) return { kind: "uncertain", reason: "no leader is known here yet" };
  const table = new MembershipTable(latest.configuration);
  const member = table.named(name) ?? table.unnamedAt(asking);
  if (member === undefined) return undefined;
  const { id: memberId, peerAddress, role: kind } = member;
  if (kind === "voter") return { kind, memberId, peerAddress };
  if (commit < latest.index)
    return { kind: "uncertain", reason: `that ${name} was added is not committed yet` };
  return { kind, memberId, peerAddress, configuration: encodeConfiguration(latest.configuration) };
}
