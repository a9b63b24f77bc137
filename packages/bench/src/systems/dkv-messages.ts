import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  CompareRelation,
  GetRequestSchema,
  GetServersResponseSchema,
  JoinServerRequestSchema,
  PipeErrorSchema,
  PipeRequestSchema,
  type Server,
  SetRequestSchema,
  TxnRequestSchema,
} from "@dkv/protocol/dkv/v1/dkv";
import { Fields } from "../grpc/fields.ts";
import { type Method, type Methods, mixedOf, type PipedAnswer } from "../workload/work.ts";
import { dkvDoors } from "./dkv-doors.ts";
import { txnProblem } from "./txn-answer.ts";

/** dkv.v1 on the wire, and what dkv speaks besides. */
export function dkvMethods(valueBytes: number): Methods {
  const get = (options: { readonly serializable: boolean }): Method => ({
    path: "/dkv.v1.DkvAPI/Get",
    encode: (key) => toBinary(GetRequestSchema, create(GetRequestSchema, { key, ...options })),
    leastAnswerBytes: valueBytes,
  });
  const set: Method = {
    path: "/dkv.v1.DkvAPI/Set",
    encode: (key, value) => toBinary(SetRequestSchema, create(SetRequestSchema, { key, value })),
    leastAnswerBytes: 1,
  };
  return {
    set,
    get: get({ serializable: false }),
    "serializable-get": get({ serializable: true }),
    txn: {
      path: "/dkv.v1.DkvAPI/Txn",
      encode: encodeTxn,
      leastAnswerBytes: 1,
      problemIn: txnProblem,
    },
    mixed: mixedOf(set, get({ serializable: false })),
    pipe: {
      path: "/dkv.v1.DkvAPI/Pipe",
      encode: (key, value) => encodePiped(1, key, value),
      leastAnswerBytes: 1,
      piped: { encode: encodePiped, read: readPiped },
    },
    ...dkvDoors,
  };
}

/** Sets a key if it is there. */
function encodeTxn(key: string, value: Buffer): Uint8Array {
  const request = create(TxnRequestSchema, {
    compares: [
      {
        keys: { keys: { case: "key", value: key } },
        relation: CompareRelation.GREATER,
        target: { case: "version", value: 0n },
      },
    ],
    success: [{ operation: { case: "set", value: { key, value } } }],
  });
  return toBinary(TxnRequestSchema, request);
}

function encodePiped(id: number, key: string, value: Buffer): Uint8Array {
  const operation = { case: "set", value: create(SetRequestSchema, { key, value }) } as const;
  return toBinary(PipeRequestSchema, create(PipeRequestSchema, { id: BigInt(id), operation }));
}

const response = { id: 1, set: 3, error: 6 } as const;
const piped = new Fields();

/** The answer to a set in a PipeResponse. */
function readPiped(source: Buffer, start: number, end: number): PipedAnswer {
  let id = 0;
  let problem: string | undefined = "the answer is not that of a set";
  piped.open(source, start, end);
  while (piped.next()) {
    if (piped.field === response.id) id = piped.number;
    if (piped.field === response.set) problem = undefined;
    if (piped.field === response.error) {
      const { status, message } = fromBinary(PipeErrorSchema, source.subarray(piped.start, piped.end));
      problem = `gRPC status ${status}: ${message}`;
    }
  }
  return { id, problem };
}

/** Whether the member that sent this GetServersResponse says that it leads. */
export function saysItLeads(message: Uint8Array): boolean {
  const { servers, header } = fromBinary(GetServersResponseSchema, message);
  return servers.some((server) => server.isLeader && server.memberId === header?.memberId);
}

/** Asks to add a member, whose peers reach it at `address`. */
export function encodeJoin(id: string, address: string): Uint8Array {
  return toBinary(JoinServerRequestSchema, create(JoinServerRequestSchema, { id, address }));
}

/** The member of that name in a GetServersResponse; undefined if there is none. */
export function findServer(message: Uint8Array, name: string): Server | undefined {
  return fromBinary(GetServersResponseSchema, message).servers.find((server) => server.id === name);
}
