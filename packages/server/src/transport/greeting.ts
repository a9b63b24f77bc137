/** The rules of the greeting with which a connection begins: who may talk to whom. */
import type { Hello } from "../codec/handshake-codec.ts";
import type { TransportOptions } from "./options.ts";
import type { PeerRecord } from "./peer-record.ts";

/** Changes when members of different versions could misunderstand each other. */
export const protocolVersion = 1;

/** A greeting is short: what a stranger may make us keep in memory. */
export const maxGreetingBytes = 4096;

/** An empty frame says nothing but that its sender lives. */
export const pingFrame = Buffer.alloc(4);

export type Verdict =
  | { readonly kind: "welcome"; readonly peer: PeerRecord }
  | { readonly kind: "refuse"; readonly reason: string };

interface Judge {
  readonly options: TransportOptions;
  readonly peers: ReadonlyMap<bigint, PeerRecord>;
  /** Whether the connection's certificate belongs to this member. */
  readonly vouchesFor: (peer: PeerRecord) => boolean;
}

/** Decides about a member that has dialled us. The reason is for its log as well as for ours. */
export function judgeHello(hello: Hello, { options, peers, vouchesFor }: Judge): Verdict {
  const { self, clusterId } = options;
  if (hello.protocolVersion !== protocolVersion) {
    return refuse(
      `protocol version ${String(hello.protocolVersion)}, where ${self.name} speaks ${String(protocolVersion)}`,
    );
  }
  if (hello.clusterId !== clusterId)
    return refuse(
      `member of cluster ${hex(hello.clusterId)}, where ${self.name} is one of ${hex(clusterId)}`,
    );
  if (hello.to !== self.id)
    return refuse(`looking for member ${hex(hello.to)}, where ${self.name} is ${hex(self.id)}`);
  const peer = peers.get(hello.from);
  if (peer === undefined) return refuse(`member ${hex(hello.from)} is not known to ${self.name}`);
  if (!vouchesFor(peer)) {
    const { name, peerAddress } = peer.address;
    return refuse(`the certificate names neither ${name} nor the host of its peer address ${peerAddress}`);
  }
  return { kind: "welcome", peer };
}

function refuse(reason: string): Verdict {
  return { kind: "refuse", reason };
}

function hex(name: bigint): string {
  return name.toString(16).padStart(16, "0");
}
