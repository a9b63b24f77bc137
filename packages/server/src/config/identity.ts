/**
 * Names of a new cluster and its members, derived from what all of them are told, so that every member
 * of a new cluster arrives at the same ones without talking to another.
 */
import { createHash } from "node:crypto";
import { nodeId, type NodeId } from "@dkv/raft";

/** 64 bits that depend on every part, and are never 0. */
function name64(parts: readonly string[]): bigint {
  const hash = createHash("sha256");
  // A length before each part: ["ab","c"] and ["a","bc"] are different.
  for (const part of parts) hash.update(`${String(part.length)}:${part}`);
  return hash.digest().readBigUInt64BE() || 1n;
}

/**
 * Identity of the member called `name`. It depends on nothing else, so a member is itself whatever else
 * changes.
 */
export function memberIdOf(name: string): NodeId {
  return nodeId(name64(["member", name]));
}

interface InitialMember {
  readonly name: string;
  readonly address: string;
}

/** Identity of the cluster with these members; their order does not matter. */
export function clusterIdOf(token: string, members: readonly InitialMember[]): bigint {
  return name64(["cluster", token, ...rowsOf(members)]);
}

/**
 * Identity of the cluster that these members make of a backup. It is another than the one that was backed up,
 * even with the same members and token: the two must never talk to each other.
 *
 * @param sha256 of the backup
 */
export function restoredClusterIdOf(
  token: string,
  members: readonly InitialMember[],
  sha256: Uint8Array,
): bigint {
  return name64(["restored", token, Buffer.from(sha256).toString("hex"), ...rowsOf(members)]);
}

const rowsOf = (members: readonly InitialMember[]): readonly string[] =>
  members.map(({ name, address }) => `${name}=${address}`).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
