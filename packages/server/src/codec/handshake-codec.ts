/** Hello and HelloReply, with which every connection between members begins. */
import { create, fromBinary, toBinary, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { HelloReplySchema, HelloSchema } from "@dkv/protocol/dkv/peer/v1/peer";
import { nodeId, type NodeId } from "@dkv/raft";
import { DecodeError } from "./decode-error.ts";

export interface Hello {
  readonly protocolVersion: number;
  readonly clusterId: bigint;
  readonly from: NodeId;
  readonly to: NodeId;
  readonly clientAddress: string;
}

export interface HelloReply {
  /** Empty if the connection is accepted. */
  readonly refusal: string;
  readonly clientAddress: string;
}

/** Encodes with the length in front, as it goes over the wire. */
export function encodeHello(hello: Hello): Buffer {
  return withLength(toBinary(HelloSchema, create(HelloSchema, hello)));
}

/** Decodes without the length. Throws a DecodeError. */
export function decodeHello(bytes: Uint8Array): Hello {
  const { protocolVersion, clusterId, from, to, clientAddress } = decode(HelloSchema, bytes);
  return { protocolVersion, clusterId, from: nodeId(from), to: nodeId(to), clientAddress };
}

/** Encodes with the length in front, as it goes over the wire. */
export function encodeHelloReply(reply: HelloReply): Buffer {
  return withLength(toBinary(HelloReplySchema, create(HelloReplySchema, reply)));
}

/** Decodes without the length. Throws a DecodeError. */
export function decodeHelloReply(bytes: Uint8Array): HelloReply {
  const { refusal, clientAddress } = decode(HelloReplySchema, bytes);
  return { refusal, clientAddress };
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
