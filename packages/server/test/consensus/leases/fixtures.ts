/** Leases in a cluster whose clocks are pushed. */
import type { TestContext } from "node:test";
import { create } from "@bufbuild/protobuf";
import {
  GrantLeaseCommandSchema,
  RevokeLeaseCommandSchema,
  SetCommandSchema,
} from "@dkv/protocol/dkv/peer/v1/command";
import type { LeaseId, Operation } from "@dkv/store";
import { cluster, type Running, type RunningCluster, until } from "../cluster.ts";
import type { Passage } from "../loopback.ts";

/** One whose leader stays, also on a busy machine: to lead anew is to measure anew. */
export const calmCluster = (
  test: TestContext,
  size: number,
  options: Parameters<typeof cluster>[2] = {},
): Promise<RunningCluster> =>
  cluster(test, size, { electionTimeoutMs: 300, requestTimeoutMs: 20_000, ...options });

export const grant = (id: LeaseId, ttl: number): Operation => ({
  case: "grantLease",
  value: create(GrantLeaseCommandSchema, { id, ttl: BigInt(ttl) }),
});

export const revoke = (id: LeaseId): Operation => ({
  case: "revokeLease",
  value: create(RevokeLeaseCommandSchema, { id }),
});

export const setWith = (key: string, lease: LeaseId, grantTtl = 0): Operation => ({
  case: "set",
  value: create(SetCommandSchema, {
    key: Buffer.from(key),
    value: Buffer.from("value"),
    lease,
    grantTtl: BigInt(grantTtl),
  }),
});

export const has = ({ store }: Running, key: string): boolean => store.get(Buffer.from(key)) !== undefined;

/** As many seconds pass for a member. */
export const pass = ({ clock }: Running, seconds: number): void => {
  clock.push(1000 * seconds);
};

export async function moveLeader(to: Running): Promise<void> {
  await to.replica.moveLeader(to.replica.status().name);
  await until("it leads", () => leads(to));
}

export const leads = ({ replica, id }: Running): boolean => {
  const { role, leaderId } = replica.status();
  return role === "leader" && leaderId === id;
};

/** Two members that follow the leader, beside it. The leader writes nothing more of its own accord. */
export async function threeMembers({ members, leaderAndFollower }: RunningCluster) {
  const { leader, follower } = await leaderAndFollower();
  const other = members.find((member) => member !== leader && member !== follower) ?? follower;
  await until("all follow", () => members.every(({ replica }) => replica.status().leaderId === leader.id));
  await quiet(leader, members);
  return { leader, follower, other };
}

/** A member that is a cluster by itself. It writes nothing more of its own accord. */
export async function oneMember(
  test: TestContext,
  options: Parameters<typeof cluster>[2] = {},
): Promise<Running> {
  const { leader: aLeader, members } = await calmCluster(test, 1, options);
  const leader = await aLeader();
  await quiet(leader, members);
  return leader;
}

/** Once, a leader writes down whose directory is which. */
async function quiet(leader: Running, members: readonly Running[]): Promise<void> {
  const isNoted = ({ node }: Running): boolean => {
    const { configuration, commit } = node.status();
    return configuration.index > 0 && commit >= configuration.index;
  };
  await until("it is written down whose directory is which", () => {
    leader.clock.push(100);
    return members.every(isNoted);
  });
}

/** Whether the frame has entries in it. */
export const hasEntries = ({ frame }: Passage): boolean =>
  frame.messages.some((message) => message.kind === "appendEntries" && message.entries.length > 0);
