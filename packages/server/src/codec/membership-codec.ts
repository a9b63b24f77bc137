/** The membership table, which is the context of a configuration: who is in the cluster, and who was. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { MembershipSchema } from "@dkv/protocol/dkv/peer/v1/peer";
import { nodeId, type NodeId } from "@dkv/raft";
import { parseHostPort } from "../platform/address.ts";
import { StartupError } from "../platform/startup-error.ts";
import { DecodeError } from "./decode-error.ts";

export interface MemberRow {
  /** Never used again, also after a removal. */
  readonly id: NodeId;
  readonly name: string;
  /** host:port; a name is resolved at each dial. */
  readonly peerAddress: string;
  /** The member whose place it takes once it has caught up, if it takes anybody's. */
  readonly replaces?: NodeId | undefined;
  /**
   * Of its data directory; 0 until a leader has heard of it. If it comes with another one, it has lost its
   * data, and its votes with it.
   */
  readonly incarnation: bigint;
  /** Whether it becomes a voter only when somebody asks for it. */
  readonly staysLearner?: boolean | undefined;
}

/** Former members are rows as well. With the longest names and addresses these are half a mebibyte. */
export const maxMemberRows = 1024;

const noId = nodeId(0n);

/** Bytes of a name in UTF-8. */
export const maxNameBytes = 255;

/** Bytes of host:port. A host name has at most 253. */
export const maxAddressBytes = 260;

export interface Membership {
  /** Former members are rows as well. */
  readonly rows: readonly MemberRow[];
  /**
   * Of everything that the cluster ever committed: drawn by the first leader, 0 before. Where the data of one
   * cluster was begun twice there are two, and what they hold at one index and term need not be the same.
   */
  readonly history: bigint;
}

/** Rows keep their order. Throws a DecodeError where {@link decodeMembership} would: nobody could read it. */
export function encodeMembership({ rows, history }: Membership): Uint8Array {
  checkRows(rows);
  const members = rows.map(({ replaces = noId, staysLearner = false, ...row }) => ({
    ...row,
    replaces,
    staysLearner,
  }));
  return toBinary(MembershipSchema, create(MembershipSchema, { members, history }));
}

/** Throws a DecodeError, also at rows that no cluster could have, such as two with one id. */
export function decodeMembership(bytes: Uint8Array): Membership {
  const { members, history } = parse(bytes);
  const rows = members.map(({ id, name, peerAddress, replaces, incarnation, staysLearner }) => ({
    id: nodeId(id),
    name,
    peerAddress,
    replaces: replaces === noId ? undefined : nodeId(replaces),
    incarnation,
    ...(staysLearner && { staysLearner }),
  }));
  checkRows(rows);
  return { rows, history };
}

function parse(bytes: Uint8Array) {
  try {
    return fromBinary(MembershipSchema, bytes);
  } catch (error) {
    throw new DecodeError("a membership table is not as it was written", { cause: error });
  }
}

function checkRows(rows: readonly MemberRow[]): void {
  if (rows.length > maxMemberRows)
    throw new DecodeError(`a membership table has more than ${String(maxMemberRows)} rows`);
  const ids = new Set<bigint>();
  for (const { id, name, peerAddress } of rows) {
    if (id === 0n) throw new DecodeError("a member has no id");
    if (ids.has(id)) throw new DecodeError("two members have the same id");
    ids.add(id);
    checkText(name, { what: "a member's name", maxBytes: maxNameBytes });
    checkText(peerAddress, { what: "a member's peer address", maxBytes: maxAddressBytes });
    checkAddress(peerAddress);
  }
}

function checkText(text: string, { what, maxBytes }: { what: string; maxBytes: number }): void {
  if (text === "") throw new DecodeError(`${what} is empty`);
  if (Buffer.byteLength(text) > maxBytes)
    throw new DecodeError(`${what} has more than ${String(maxBytes)} bytes`);
}

/** It will be dialled, and nobody is there then to whom a complaint could go. */
function checkAddress(peerAddress: string): void {
  try {
    parseHostPort(peerAddress, "a member's peer address");
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    throw new DecodeError(error.message, { cause: error });
  }
}
