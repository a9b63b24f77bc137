/** A client of etcd at the client port of a member in memory. */
import type { TestContext } from "node:test";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { compressionGzip, createGrpcTransport } from "@connectrpc/connect-node";
import { Cluster, KV, Lease, Maintenance, Watch } from "@dkv/protocol/etcdserverpb/rpc";
import { Election } from "@dkv/protocol/v3electionpb/v3election";
import { Lock } from "@dkv/protocol/v3lockpb/v3lock";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { RequestOpSchema } from "@dkv/protocol/etcdserverpb/rpc";
import { type ClientPort, openClientPort, type PortOptions } from "./client-port.ts";

export interface EtcdClient extends ClientPort {
  readonly kv: Client<typeof KV>;
  readonly watch: Client<typeof Watch>;
  readonly lease: Client<typeof Lease>;
  readonly cluster: Client<typeof Cluster>;
  readonly maintenance: Client<typeof Maintenance>;
  readonly lock: Client<typeof Lock>;
  readonly election: Client<typeof Election>;
}

/** Ways on which a call may come: the fast one, by Connect, and by Connect because it is compressed. */
export const ways = ["fast", "by Connect", "compressed"] as const;

export async function openEtcd(
  t: TestContext,
  way: (typeof ways)[number] = "fast",
  options: PortOptions = {},
): Promise<EtcdClient> {
  const port = await openClientPort(t, {
    ...options,
    bypass: way === "by Connect" ? "forbidden" : "allowed",
  });
  const transport = createGrpcTransport({
    baseUrl: port.url,
    // As deep as transactions may nest.
    binaryOptions: { recursionLimit: 400 },
    ...(way === "compressed" && { sendCompression: compressionGzip, compressMinBytes: 0 }),
  });
  return {
    ...port,
    kv: createClient(KV, transport),
    watch: createClient(Watch, transport),
    lease: createClient(Lease, transport),
    cluster: createClient(Cluster, transport),
    maintenance: createClient(Maintenance, transport),
    lock: createClient(Lock, transport),
    election: createClient(Election, transport),
  };
}

export const bytes = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text, "latin1"));
export const textOf = (value: Uint8Array): string => Buffer.from(value).toString("latin1");

/** Every key there is. */
export const everything = { key: bytes("\0"), rangeEnd: bytes("\0") };

export type Op = MessageInitShape<typeof RequestOpSchema>;

export const putOp = (key: string, value = "", more: object = {}): Op => ({
  request: { case: "requestPut", value: { key: bytes(key), value: bytes(value), ...more } },
});
export const deleteOp = (key: string, rangeEnd = ""): Op => ({
  request: { case: "requestDeleteRange", value: { key: bytes(key), rangeEnd: bytes(rangeEnd) } },
});
export const rangeOp = (key: string, rangeEnd = "", more: object = {}): Op => ({
  request: { case: "requestRange", value: { key: bytes(key), rangeEnd: bytes(rangeEnd), ...more } },
});
export const txnOp = (
  value: Extract<MessageInitShape<typeof RequestOpSchema>["request"], { case: "requestTxn" }>["value"],
): Op => ({ request: { case: "requestTxn", value } });

/** What a call is refused with: code and text, as clients of etcd see them. */
export async function refusalOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    return `${Code[error.code]}: ${error.rawMessage}`;
  }
  return "done";
}
