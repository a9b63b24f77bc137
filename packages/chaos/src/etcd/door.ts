/** A connection to one member, over which etcd's API is spoken. */
import { readFileSync } from "node:fs";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { KV, Lease, Watch } from "@dkv/protocol/etcdserverpb/rpc";

export interface Door {
  readonly kv: Client<typeof KV>;
  readonly lease: Client<typeof Lease>;
  readonly watch: Client<typeof Watch>;
  /** Breaks what is under way. */
  close(): void;
}

/** @param caFile is read now: authorities are replaced while all runs */
export function openDoor(endpoint: string, caFile: string): Door {
  const baseUrl = `https://${endpoint}`;
  const sessionManager = new Http2SessionManager(baseUrl, undefined, { ca: readFileSync(caFile) });
  const transport = createGrpcTransport({ baseUrl, sessionManager });
  return {
    kv: createClient(KV, transport),
    lease: createClient(Lease, transport),
    watch: createClient(Watch, transport),
    close: () => {
      sessionManager.abort();
    },
  };
}
