import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  LeaseGrantRequestSchema,
  LeaseGrantResponseSchema,
  LeaseKeepAliveRequestSchema,
  LeaseLeasesResponseSchema,
  PutRequestSchema,
  RangeRequestSchema,
  RangeResponseSchema,
} from "@dkv/protocol/etcdserverpb/rpc";
import { Fields } from "../../grpc/fields.ts";

/** etcd's v3 API, as far as leases are measured by it. A lease's id is its number, from 1. */
export const leasePaths = {
  grant: "/etcdserverpb.Lease/LeaseGrant",
  keepAlive: "/etcdserverpb.Lease/LeaseKeepAlive",
  list: "/etcdserverpb.Lease/LeaseLeases",
  put: "/etcdserverpb.KV/Put",
  range: "/etcdserverpb.KV/Range",
} as const;

/** Of the keys of leases. */
export const leasedPrefix = "leased/";
/** In the order of bytes, the first that is behind everything with the prefix. */
const behindPrefix = "leased0";

export function encodeGrant(lease: number, ttlSeconds: number): Uint8Array {
  const request = { ID: BigInt(lease), TTL: BigInt(ttlSeconds) };
  return toBinary(LeaseGrantRequestSchema, create(LeaseGrantRequestSchema, request));
}

/** The seconds that were granted. */
export function grantedIn(message: Uint8Array): number {
  return Number(fromBinary(LeaseGrantResponseSchema, message).TTL);
}

/** Sets the lease's own key. */
export function encodeAttach(lease: number, value: Uint8Array): Uint8Array {
  const request = { key: Buffer.from(`${leasedPrefix}${lease}`), value, lease: BigInt(lease) };
  return toBinary(PutRequestSchema, create(PutRequestSchema, request));
}

export function encodeKeepAlive(lease: number): Uint8Array {
  return toBinary(LeaseKeepAliveRequestSchema, create(LeaseKeepAliveRequestSchema, { ID: BigInt(lease) }));
}

/** Whom an answer to a keep-alive is about; the seconds that it has from now on, 0 if it is gone. */
export interface KeptAlive {
  readonly lease: number;
  readonly ttlSeconds: number;
}

/** Field numbers of LeaseKeepAliveResponse. */
const field = { id: 2, ttl: 3 } as const;
const response = new Fields();

export function readKeptAlive(source: Buffer, start: number, end: number): KeptAlive {
  let lease = 0;
  let ttlSeconds = 0;
  response.open(source, start, end);
  while (response.next()) {
    if (response.field === field.id) lease = response.number;
    if (response.field === field.ttl) ttlSeconds = response.number;
  }
  return { lease, ttlSeconds };
}

export function leasesIn(message: Uint8Array): number {
  return fromBinary(LeaseLeasesResponseSchema, message).leases.length;
}

/** Asks how many keys of leases there are. */
export function encodeCount(): Uint8Array {
  const interval = { key: Buffer.from(leasedPrefix), rangeEnd: Buffer.from(behindPrefix) };
  return toBinary(RangeRequestSchema, create(RangeRequestSchema, { ...interval, countOnly: true }));
}

export function countIn(message: Uint8Array): number {
  return Number(fromBinary(RangeResponseSchema, message).count);
}
