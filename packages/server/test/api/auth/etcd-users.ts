/** Clients of etcd who have logged in, at the client port of a member in memory that has rules. */
import type { TestContext } from "node:test";
import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Auth, Cluster, KV, Lease, Maintenance, Watch } from "@dkv/protocol/etcdserverpb/rpc";
import { Election } from "@dkv/protocol/v3electionpb/v3election";
import { Lock } from "@dkv/protocol/v3lockpb/v3lock";
import { type ClientPort, openClientPort, type PortOptions } from "../client-port.ts";
import { enableRules } from "./rules.ts";

export const denied = "PermissionDenied: etcdserver: permission denied";

export interface EtcdUser {
  readonly auth: Client<typeof Auth>;
  readonly kv: Client<typeof KV>;
  readonly lease: Client<typeof Lease>;
  readonly watch: Client<typeof Watch>;
  readonly cluster: Client<typeof Cluster>;
  readonly maintenance: Client<typeof Maintenance>;
  readonly lock: Client<typeof Lock>;
  readonly election: Client<typeof Election>;
}

export function clientsOf({ url }: Pick<ClientPort, "url">, header: Record<string, string> = {}): EtcdUser {
  const withHeader: Interceptor = (next) => (request) => {
    for (const [name, value] of Object.entries(header)) request.header.set(name, value);
    return next(request);
  };
  const transport = createGrpcTransport({ baseUrl: url, interceptors: [withHeader] });
  return {
    auth: createClient(Auth, transport),
    kv: createClient(KV, transport),
    lease: createClient(Lease, transport),
    watch: createClient(Watch, transport),
    cluster: createClient(Cluster, transport),
    maintenance: createClient(Maintenance, transport),
    lock: createClient(Lock, transport),
    election: createClient(Election, transport),
  };
}

/** Logs in with a name that is the password, too. */
export async function logIn(
  port: ClientPort,
  name: string,
  field: "token" | "authorization" = "token",
): Promise<EtcdUser> {
  const { token } = await clientsOf(port).auth.authenticate({ name, password: name });
  return clientsOf(port, { [field]: token });
}

export async function openRuled(t: TestContext, options: PortOptions = {}): Promise<ClientPort> {
  const port = await openClientPort(t, options);
  await enableRules(port.member);
  return port;
}
