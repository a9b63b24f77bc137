/** Hello and HelloReply, with which every connection between members begins. */
import { create, fromBinary, toBinary, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { HelloReplySchema, HelloSchema, Purpose } from "@dkv/protocol/dkv/peer/v1/peer";
import { nodeId, type NodeId } from "@dkv/raft";
import { DecodeError } from "./decode-error.ts";
import { maxAddressBytes, maxNameBytes } from "./membership-codec.ts";

/** Where clients reach one member, at most: a greeting is short. */
export const maxClientUrls = 16;

/** Of all of them, with a comma between each. */
export const maxClientUrlBytes = 2048;

export interface Hello {
  readonly protocolVersion: number;
  readonly clusterId: bigint;
  readonly from: NodeId;
  readonly to: NodeId;
  readonly clientAddress: string;
  /** Of dkv; empty if unknown. */
  readonly version: string;
  /** What the connection is for; `unknown` is something of a later version. */
  readonly purpose: "member" | "snapshot" | "introduction" | "unknown";
  /** Of who dials; empty if it does not say. Who asks for an introduction has no ids yet. */
  readonly name: string;
  /** Where others reach who dials, as host:port; empty if it does not say. */
  readonly peerAddress: string;
  /** Of the data directory of who dials; 0 if it has none yet, or does not know. */
  readonly incarnation: bigint;
  /** Of what who dials has applied; 0 if there is none yet. */
  readonly history: bigint;
  /** Where clients reach who dials; without it, or with none, only `clientAddress` says so. */
  readonly clientUrls?: readonly string[];
}

export interface HelloReply {
  /** Empty if the connection is accepted. */
  readonly refusal: string;
  readonly clientAddress: string;
  /** Of dkv; empty if unknown. */
  readonly version: string;
  readonly clusterId: bigint;
  /** Who answers. */
  readonly from: NodeId;
  /** Refused because the member that dialled was removed from the cluster. */
  readonly removed: boolean;
  /** Refused only for now. */
  readonly later: boolean;
  /** Refused because the member that dialled has another data directory than it had: its data is lost. */
  readonly dataLost: boolean;
  /** Of the data directory of who answers; 0 if it does not know. */
  readonly incarnation: bigint;
  /** Of what who answers has applied; 0 if there is none yet. */
  readonly history: bigint;
  /** As {@link Hello.clientUrls}, of who answers. */
  readonly clientUrls?: readonly string[];
  /** Undefined unless an introduction was asked for and is given. */
  readonly introduction: Introduction | undefined;
}

/** What a new member has to know before it can take part. */
export interface Introduction {
  readonly clusterId: bigint;
  /** Its own id. */
  readonly memberId: NodeId;
  /** As `encodeConfiguration` of @dkv/raft gives it. */
  readonly configuration: Uint8Array;
}

const purposes = {
  member: Purpose.MEMBER,
  snapshot: Purpose.SNAPSHOT,
  introduction: Purpose.INTRODUCTION,
  unknown: Purpose.UNSPECIFIED,
} as const satisfies Record<Hello["purpose"], Purpose>;

/** Encodes with the length in front, as it goes over the wire. */
export function encodeHello({ clientUrls = [], ...hello }: Hello): Buffer {
  const purpose = purposes[hello.purpose];
  const message = create(HelloSchema, { ...hello, clientUrls: [...clientUrls], purpose });
  return withLength(toBinary(HelloSchema, message));
}

/** Decodes without the length. Throws a DecodeError. */
export function decodeHello(bytes: Uint8Array): Hello {
  const hello = decode(HelloSchema, bytes);
  const { protocolVersion, clusterId, from, to, clientAddress, version } = hello;
  const { purpose, name, peerAddress, incarnation, history, clientUrls } = hello;
  checkUrls(clientUrls);
  if (Buffer.byteLength(peerAddress) > maxAddressBytes)
    throw new DecodeError(`an address has more than ${String(maxAddressBytes)} bytes`);
  if (Buffer.byteLength(name) > maxNameBytes)
    throw new DecodeError(`a name has more than ${String(maxNameBytes)} bytes`);
  return {
    protocolVersion,
    clusterId,
    from: nodeId(from),
    to: nodeId(to),
    clientAddress,
    version,
    purpose: purposeOf(purpose),
    name,
    peerAddress,
    incarnation,
    history,
    clientUrls,
  };
}

function checkUrls(urls: readonly string[]): void {
  if (urls.length > maxClientUrls || Buffer.byteLength(urls.join()) > maxClientUrlBytes)
    throw new DecodeError("clients would be told more URLs of a member than one may have");
}

/** A sender of a later version may mean any number. */
function purposeOf(purpose: Purpose): Hello["purpose"] {
  switch (purpose) {
    case Purpose.UNSPECIFIED:
    case Purpose.MEMBER:
      return "member";
    case Purpose.SNAPSHOT:
      return "snapshot";
    case Purpose.INTRODUCTION:
      return "introduction";
    default:
      return "unknown";
  }
}

/** Encodes with the length in front, as it goes over the wire. */
export function encodeHelloReply({ introduction, clientUrls = [], ...rest }: HelloReply): Buffer {
  const reply = { ...rest, clientUrls: [...clientUrls] };
  const message = create(HelloReplySchema, introduction === undefined ? reply : { ...reply, introduction });
  return withLength(toBinary(HelloReplySchema, message));
}

/** Decodes without the length. Throws a DecodeError. */
export function decodeHelloReply(bytes: Uint8Array): HelloReply {
  const { $typeName: _, $unknown: __, from, introduction, ...reply } = decode(HelloReplySchema, bytes);
  checkUrls(reply.clientUrls);
  return {
    ...reply,
    from: nodeId(from),
    introduction: introduction && {
      clusterId: introduction.clusterId,
      memberId: nodeId(introduction.memberId),
      configuration: introduction.configuration,
    },
  };
}

function decode<Schema extends DescMessage>(schema: Schema, bytes: Uint8Array): MessageShape<Schema> {
  try {
    return fromBinary(schema, bytes);
  } catch (error) {
    throw new DecodeError("the first frame is no greeting of a dkv member", { cause: error });
  }
}

function withLength(message: Uint8Array): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(message.length);
  return Buffer.concat([header, message]);
}
