/** The rules of the greeting with which a connection begins: who may talk to whom. */
import type { Hello, HelloReply, Introduction } from "../codec/handshake-codec.ts";
import { version } from "../version.ts";
import { claimedAddress } from "./guests.ts";
import type { PeerAddress, TransportOptions } from "./options.ts";
import type { PeerRecord } from "./peer-record.ts";

/** Changes when members of different versions could misunderstand each other. */
export const protocolVersion = 1;

/** A greeting is short: what a stranger may make us keep in memory. */
export const maxGreetingBytes = 4096;

/** An empty frame says nothing but that its sender lives. */
export const pingFrame = Buffer.alloc(4);

export type Verdict =
  /** Frames follow, or a snapshot. */
  | { readonly kind: "welcome"; readonly peer: PeerRecord; readonly purpose: "member" | "snapshot" }
  /** Told who it is, and that is all. */
  | { readonly kind: "introduce"; readonly name: string; readonly introduction: Introduction }
  | Refusal;

export interface Refusal {
  readonly kind: "refuse";
  readonly reason: string;
  /** Whether it was removed from the cluster. */
  readonly removed: boolean;
  /** Whether the same greeting may be welcome later. */
  readonly later: boolean;
  /** Whether it has lost its data. */
  readonly dataLost: boolean;
}

interface Judge {
  readonly options: TransportOptions;
  readonly peers: ReadonlyMap<bigint, PeerRecord>;
  /** Members that were removed from the cluster. */
  readonly removed: ReadonlySet<bigint>;
  /** Makes a peer for the time being of a member that is not known; undefined if none is let in. */
  readonly admit: (address: PeerAddress) => PeerRecord | undefined;
  /** Whether the connection's certificate belongs to this member. */
  readonly vouchesFor: (peer: PeerAddress) => boolean;
}

/** Decides about a member that has dialled us. The reason is for its log as well as for ours. */
export function judgeHello(hello: Hello, judge: Judge): Verdict {
  const { name } = judge.options.self;
  if (hello.protocolVersion !== protocolVersion) {
    return refuse(
      `protocol version ${String(hello.protocolVersion)}, where ${name} speaks ${String(protocolVersion)}`,
    );
  }
  switch (hello.purpose) {
    case "introduction":
      return judgeNewcomer(hello, judge);
    case "member":
    case "snapshot":
      return judgeMember(hello, hello.purpose, judge);
    case "unknown":
      return refuse(`a connection for a purpose that ${name} does not know: it runs dkv ${version}`);
  }
}

function judgeMember(hello: Hello, purpose: "member" | "snapshot", judge: Judge): Verdict {
  const { options, peers, removed, vouchesFor } = judge;
  const { self, clusterId } = options;
  if (hello.clusterId !== clusterId)
    return refuse(
      `member of cluster ${hex(hello.clusterId)}, where ${self.name} is one of ${hex(clusterId)}: ` +
        "the one that is in the wrong cluster is to be started with an empty data directory and " +
        "--initial-cluster-state=existing",
    );
  if (hello.to !== self.id)
    return refuse(`looking for member ${hex(hello.to)}, where ${self.name} is ${hex(self.id)}`);
  const peer = peers.get(hello.from);
  if (peer === undefined && removed.has(hello.from))
    return refuse(`member ${hex(hello.from)} was removed from the cluster`, { removed: true });
  if (peer === undefined) return judgeStranger(hello, purpose, judge);
  if (!vouchesFor(peer.address)) return refuse(strangersCertificate(peer.address, options));
  if (isOtherHistory(hello, options)) return refuse(otherHistory(peer.address.name));
  if (isAnother(hello, peer.address)) return refuse(lostData(peer.address.name), { dataLost: true });
  return { kind: "welcome", peer, purpose };
}

/** It may have been added, and this member not have heard of it yet (guests.ts). */
function judgeStranger(
  hello: Hello,
  purpose: "member" | "snapshot",
  { options: { self }, admit, vouchesFor }: Judge,
): Verdict {
  const address = purpose === "member" ? claimedAddress(hello) : undefined;
  const isVouchedFor = address !== undefined && vouchesFor(address);
  const peer = isVouchedFor ? admit(address) : undefined;
  if (peer !== undefined) return { kind: "welcome", peer, purpose };
  return refuse(`member ${hex(hello.from)} is not known to ${self.name}`, { later: true });
}

/** A new member does not know its id yet, but somebody has announced its name, or its address. */
function judgeNewcomer(hello: Hello, { options, vouchesFor }: Judge): Verdict {
  const { name } = hello;
  const { clusterId, introduce, self } = options;
  if (introduce === undefined) return refuse(`${self.name} introduces nobody`);
  const known = name === "" ? undefined : introduce(hello);
  if (known === undefined) {
    const what = `no member named ${name}: add it with \`dkvctl member-join ${name} HOST:PORT\``;
    return refuse(what, { later: true });
  }
  if (known.kind === "uncertain") return refuse(known.reason, { later: true });
  const { memberId, peerAddress } = known;
  const address = { id: memberId, name, peerAddress, incarnation: 0n };
  if (!vouchesFor(address)) return refuse(strangersCertificate(address, options));
  if (known.kind === "voter") return refuse(lostData(name), { dataLost: true });
  const { configuration } = known;
  return { kind: "introduce", name, introduction: { clusterId, memberId, configuration } };
}

/** What we answer: who we are, and what is given. */
export function replyTo(
  { self, clusterId, history }: TransportOptions,
  verdict: Partial<Pick<HelloReply, "refusal" | "removed" | "later" | "dataLost" | "introduction">>,
): HelloReply {
  const { id, clientAddress, clientUrls = [], incarnation } = self;
  const nothing = { refusal: "", removed: false, later: false, dataLost: false, introduction: undefined };
  const us = { clientAddress, clientUrls, version, clusterId, from: id, incarnation, history: history() };
  return { ...us, ...nothing, ...verdict };
}

type Incarnated = Pick<PeerAddress, "incarnation">;

/** Whether a member says that its data directory is another one than it was. */
export function isAnother({ incarnation: said }: Incarnated, { incarnation: known }: Incarnated): boolean {
  return said !== 0n && known !== 0n && said !== known;
}

/**
 * Whether a member belongs to a cluster of our name and members whose data was begun another time. Entries of
 * one index and term are then not the same, and who followed the other would not notice.
 */
export function isOtherHistory(
  { history: theirs }: Pick<Hello, "history">,
  { history }: Pick<TransportOptions, "history">,
): boolean {
  const ours = history();
  return theirs !== 0n && ours !== 0n && theirs !== ours;
}

/** Nobody stops for it: only people can tell which of the two is the one to keep. */
export function otherHistory(name: string): string {
  return (
    `${name} has data of another history: the cluster was begun twice, as when most of the members were given empty ` +
    "directories. Stop those whose data is not wanted, and start them with empty directories"
  );
}

/** Under its old id it could vote twice in one term, or forget what it has acknowledged. */
function lostData(name: string): string {
  return (
    `${name} is a voter of this cluster, and its votes are lost with its data: ` +
    `replace it with \`dkvctl member-replace ${name} ${name} HOST:PORT\`, and start it with an empty data directory ` +
    "and --initial-cluster-state=existing"
  );
}

function strangersCertificate(
  { name, peerAddress }: PeerAddress,
  { tls }: Pick<TransportOptions, "tls">,
): string {
  const either = `the certificate names neither ${name} nor the host of its peer address ${peerAddress}`;
  return tls?.allowed === undefined ? either : `${either}, or none of the names that are allowed`;
}

function refuse(reason: string, more: Partial<Omit<Refusal, "kind" | "reason">> = {}): Refusal {
  return { kind: "refuse", reason, removed: false, later: false, dataLost: false, ...more };
}

function hex(name: bigint): string {
  return name.toString(16).padStart(16, "0");
}
