import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  GetRequestSchema,
  GetServersResponseSchema,
  JoinServerRequestSchema,
  type Server,
  SetRequestSchema,
} from "@dkv/protocol/dkv/v1/dkv";
import type { Method, WorkName } from "../workload/work.ts";

/** dkv.v1 on the wire. */
export function dkvMethods(valueBytes: number): Readonly<Record<WorkName, Method>> {
  const get = (options: { readonly serializable: boolean }): Method => ({
    path: "/dkv.v1.DkvAPI/Get",
    encode: (key) => toBinary(GetRequestSchema, create(GetRequestSchema, { key, ...options })),
    leastAnswerBytes: valueBytes,
  });
  return {
    set: {
      path: "/dkv.v1.DkvAPI/Set",
      encode: (key, value) => toBinary(SetRequestSchema, create(SetRequestSchema, { key, value })),
      leastAnswerBytes: 1,
    },
    get: get({ serializable: false }),
    "serializable-get": get({ serializable: true }),
  };
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
