import type { Server } from "@dkv/protocol/dkv/v1/dkv";
import { callOnce } from "../grpc/unary.ts";
import type { Target } from "../http2/dial.ts";
import { encodeJoin, findServer } from "./dkv-messages.ts";
import type { LocalMember } from "./local-member.ts";

const joinTimeoutMs = 30_000;
const lookTimeoutMs = 2_000;

/** Adds a member to the cluster of `target`, as `dkvctl member-join` does. */
export async function joinMember(target: Target, { name, peerAddress }: LocalMember): Promise<void> {
  const path = "/dkv.v1.MembershipAPI/JoinServer";
  await callOnce(target, { path, message: encodeJoin(name, peerAddress), timeoutMs: joinTimeoutMs });
}

/** How `target` sees the member of that name; undefined if it knows of none. */
export async function lookUpMember(target: Target, name: string): Promise<Server | undefined> {
  const path = "/dkv.v1.MembershipAPI/GetServers";
  const request = { path, message: new Uint8Array(), timeoutMs: lookTimeoutMs };
  return findServer(await callOnce(target, request), name);
}
