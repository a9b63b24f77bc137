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

/** Identity of the cluster with these members; their order does not matter. */
export function clusterIdOf(token: string, members: readonly { name: string; address: string }[]): bigint {
  const rows = members
    .map(({ name, address }) => `${name}=${address}`)
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return name64(["cluster", token, ...rows]);
}
