/** What the members of a cluster on this machine are started with. */
import { join } from "node:path";

/**
 * By name, without dashes. `true`: a flag without a value; undefined: not this flag, whatever the defaults
 * say.
 */
export type Flags = Readonly<Record<string, string | true | undefined>>;

/** One member before it runs. Addresses are `localhost:port`. */
export interface MemberPlan {
  readonly name: string;
  /** Where its peers reach it. */
  readonly peerAddress: string;
  /** Where it listens for them, if that is elsewhere: something then stands between. */
  readonly listenPeerAddress?: string;
  readonly clientAddress: string;
  readonly dataDir: string;
}

export interface ClusterPlan {
  readonly members: readonly MemberPlan[];
  /** Directory as `make certs` leaves it; undefined: peers and clients in clear. */
  readonly certificates: string | undefined;
}

/** The flags of seed and README, for one member of a new cluster. */
export function memberFlags(member: MemberPlan, { members, certificates }: ClusterPlan): Flags {
  return {
    name: member.name,
    "initial-cluster": members.map(({ name, peerAddress }) => `${name}=${peerAddress}`).join(","),
    "initial-cluster-state": "new",
    "data-dir": member.dataDir,
    "listen-peer-address": member.listenPeerAddress ?? member.peerAddress,
    ...(member.listenPeerAddress === undefined ? {} : { "advertise-peer-address": member.peerAddress }),
    "listen-client-address": member.clientAddress,
    "log-format": "json",
    ...(certificates === undefined ? {} : certificateFlags(certificates)),
  };
}

/** For a member that is added to a cluster of these others. */
export function newcomerFlags(member: MemberPlan, others: ClusterPlan): Flags {
  return { ...memberFlags(member, others), "initial-cluster-state": "existing" };
}

function certificateFlags(directory: string): Flags {
  return {
    "peer-cert-file": join(directory, "peer.pem"),
    "peer-key-file": join(directory, "peer-key.pem"),
    "peer-trusted-ca-file": join(directory, "ca.pem"),
    "cert-file": join(directory, "server.pem"),
    "key-file": join(directory, "server-key.pem"),
  };
}

/** The flags as arguments of a command line. */
export function toArguments(flags: Flags): readonly string[] {
  return Object.entries(flags).flatMap(([name, value]) => {
    if (value === undefined) return [];
    return value === true ? [`--${name}`] : [`--${name}=${value}`];
  });
}
