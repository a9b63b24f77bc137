/**
 * Whatever a member serves is refused to those who do not say who they are, once there are rules. What is
 * served is asked of the member itself, so that a new method or path cannot be forgotten here.
 */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import {
  create,
  createFileRegistry,
  type DescMethod,
  type DescMethodStreaming,
  type DescMethodUnary,
  fromBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  compressionGzip,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { ServerReflection } from "@dkv/protocol/grpc/reflection/v1/reflection";
import { gatewayMethods } from "../../../src/api/etcd-v3/gateway/paths.ts";
import { queryPaths } from "../../../src/api/query/door.ts";
import { type ClientPort, openClientPort, type PortOptions } from "../client-port.ts";
import { allow, basic, enableRules } from "./rules.ts";

/** What everybody may ask: how the member is, what its schema says, and for a token. */
const open = [
  "/etcdserverpb.Auth/Authenticate",
  "/grpc.health.v1.Health/Check",
  "/grpc.health.v1.Health/Watch",
  "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
  "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

/** What a user may ask without the role root, if only for an answer that has nothing of others in it. */
const forUsers = [
  "/dkv.v1.DkvAPI/Delete",
  "/dkv.v1.DkvAPI/Get",
  "/dkv.v1.DkvAPI/List",
  "/dkv.v1.DkvAPI/Pipe",
  "/dkv.v1.DkvAPI/Set",
  "/dkv.v1.DkvAPI/Txn",
  "/dkv.v1.DkvAPI/Watch",
  "/dkv.v1.LeaseAPI/GetLease",
  "/dkv.v1.LeaseAPI/GrantLease",
  "/dkv.v1.LeaseAPI/KeepLeaseAlive",
  "/dkv.v1.LeaseAPI/ListLeases",
  "/dkv.v1.LeaseAPI/RevokeLease",
  "/dkv.v1.MaintenanceAPI/Status",
  "/dkv.v1.MembershipAPI/GetServers",
  "/etcdserverpb.Auth/RoleGet",
  "/etcdserverpb.Auth/UserGet",
  "/etcdserverpb.Cluster/MemberList",
  "/etcdserverpb.KV/DeleteRange",
  "/etcdserverpb.KV/Put",
  "/etcdserverpb.KV/Range",
  "/etcdserverpb.KV/RangeStream",
  "/etcdserverpb.KV/Txn",
  "/etcdserverpb.Lease/LeaseGrant",
  "/etcdserverpb.Lease/LeaseKeepAlive",
  "/etcdserverpb.Lease/LeaseLeases",
  "/etcdserverpb.Lease/LeaseRevoke",
  "/etcdserverpb.Lease/LeaseTimeToLive",
  "/etcdserverpb.Maintenance/Alarm",
  "/etcdserverpb.Maintenance/Status",
  "/etcdserverpb.Watch/Watch",
  "/v3electionpb.Election/Campaign",
  "/v3electionpb.Election/Leader",
  "/v3electionpb.Election/Observe",
  "/v3electionpb.Election/Proclaim",
  "/v3electionpb.Election/Resign",
  "/v3lockpb.Lock/Lock",
  "/v3lockpb.Lock/Unlock",
];

type Way = "fast" | "by Connect" | "compressed" | "gRPC-Web" | "Connect, JSON";

const ways: readonly Way[] = ["fast", "by Connect", "compressed", "gRPC-Web", "Connect, JSON"];

function transportOf({ url }: ClientPort, way: Way): Transport {
  switch (way) {
    case "fast":
    case "by Connect":
      return createGrpcTransport({ baseUrl: url });
    case "compressed":
      return createGrpcTransport({ baseUrl: url, sendCompression: compressionGzip, compressMinBytes: 0 });
    case "gRPC-Web":
      return createGrpcWebTransport({ baseUrl: url, httpVersion: "2" });
    case "Connect, JSON":
      return createConnectTransport({ baseUrl: url, httpVersion: "2", useBinaryFormat: false });
  }
}

async function openRuled(t: TestContext, options: PortOptions = {}): Promise<ClientPort> {
  const port = await openClientPort(t, { queryInterface: true, ...options });
  await enableRules(port.member);
  return port;
}

const pathOf = ({ parent, name }: DescMethod): string => `/${parent.typeName}/${name}`;

/** All methods that the member says it serves. */
async function methodsOf({ url }: ClientPort): Promise<readonly DescMethod[]> {
  const client = createClient(ServerReflection, createGrpcTransport({ baseUrl: url }));
  async function* ask(names: readonly string[]) {
    yield { messageRequest: { case: "listServices" as const, value: "" } };
    for (const value of names) yield { messageRequest: { case: "fileContainingSymbol" as const, value } };
  }
  const names: string[] = [];
  for await (const { messageResponse } of client.serverReflectionInfo(ask([])))
    if (messageResponse.case === "listServicesResponse")
      names.push(...messageResponse.value.service.map(({ name }) => name));
  const files = new Map<string, ReturnType<typeof parse>>();
  for await (const { messageResponse } of client.serverReflectionInfo(ask(names))) {
    if (messageResponse.case !== "fileDescriptorResponse") continue;
    for (const file of messageResponse.value.fileDescriptorProto.map(parse).toReversed())
      if (!files.has(file.name)) files.set(file.name, file);
  }
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: [...files.values()] }));
  return names.flatMap((name) => {
    const service = registry.getService(name);
    assert.ok(service, name);
    return service.methods;
  });
}

const parse = (bytes: Uint8Array) => fromBinary(FileDescriptorProtoSchema, bytes);

const isUnary = (method: DescMethod): method is DescMethodUnary => method.methodKind === "unary";
const isStreaming = (method: DescMethod): method is DescMethodStreaming => method.methodKind !== "unary";

/** Where an empty request asks for something of others. */
const requests: Readonly<Record<string, Record<string, unknown>>> = {
  "/etcdserverpb.Auth/UserGet": { name: "poor" },
  "/etcdserverpb.Auth/RoleGet": { role: "poor" },
  "/etcdserverpb.Watch/Watch": {
    requestUnion: { case: "createRequest", value: { key: new Uint8Array([107]) } },
  },
};

const requestFor = (method: DescMethod): Record<string, unknown> => requests[pathOf(method)] ?? {};

/** What an empty request, or one of those, comes to: "answered", or code and text. */
async function outcomeOf(
  transport: Transport,
  method: DescMethod,
  header: Record<string, string>,
): Promise<string> {
  const signal = AbortSignal.timeout(10_000);
  try {
    if (isUnary(method)) {
      await transport.unary(method, signal, undefined, header, requestFor(method));
      return "answered";
    }
    assert.ok(isStreaming(method));
    const response = await transport.stream(method, signal, undefined, header, requestsFor(method));
    for await (const message of response.message) return told(message);
    return "answered";
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error);
    return `${Code[code]}: ${rawMessage}`;
  }
}

async function* requestsFor(method: DescMethod) {
  yield await Promise.resolve(requestFor(method));
}

/** A watch is refused in an answer. */
function told(message: object): string {
  const reason = "cancelReason" in message ? message.cancelReason : "";
  const [, code, text] = /^rpc error: code = (\w+) desc = (.*)$/.exec(String(reason)) ?? [];
  return code === undefined ? "answered" : `${code}: ${String(text)}`;
}

for (const way of ways) {
  const options = { bypass: way === "fast" ? "allowed" : "forbidden" } as const;
  const tokenless =
    /^(InvalidArgument: etcdserver: user name is empty|Unauthenticated: authentication is enabled: .*)$/;
  const badToken =
    /^(Unauthenticated: etcdserver: invalid auth token|Unauthenticated: the token is not good, .*)$/;
  const denied =
    /^PermissionDenied: (etcdserver: permission denied|only a user with the role root may do this)$/;

  describe(`every method, ${way}`, () => {
    it("is refused to those who do not say who they are", async (t) => {
      const port = await openRuled(t, options);
      const transport = transportOf(port, way);
      const answered: string[] = [];
      for (const method of await methodsOf(port)) {
        const [nobody, wrong] = [
          await outcomeOf(transport, method, {}),
          await outcomeOf(transport, method, { token: "abcdefghijklmnop.7" }),
        ];
        if (tokenless.test(nobody) && badToken.test(wrong)) continue;
        assert.equal(open.includes(pathOf(method)), true, `${pathOf(method)}: ${nobody}; ${wrong}`);
        answered.push(pathOf(method));
      }
      assert.deepEqual(answered.toSorted(compare), open.toSorted(compare));
    });

    it("is for root alone exactly if it is not known to be for all users", async (t) => {
      const port = await openRuled(t, options);
      await allow(port.member, "poor", { kind: "read", key: "k" });
      const transport = transportOf(port, way);
      const allowed: string[] = [];
      for (const method of await methodsOf(port)) {
        if (open.includes(pathOf(method))) continue;
        const poor = await outcomeOf(transport, method, basic("poor"));
        if (!denied.test(poor)) allowed.push(pathOf(method));
      }
      assert.deepEqual(allowed.toSorted(compare), forUsers.toSorted(compare));
    });
  });
}

const compare = (a: string, b: string): number => (a < b ? -1 : 1);

describe("every path", () => {
  const health = ["/health", "/livez", "/metrics", "/readyz", "/version"];

  it("that serves keys or members is refused to those who do not say who they are", async (t) => {
    const { url } = await openRuled(t);
    for (const path of queryPaths) {
      for (const query of ["", "?key=k&value=v&strict=1", "?peerAddress=localhost:1&node=x"]) {
        const answer = await fetch(`${url}${path}${query}`);
        assert.equal(answer.status, 401, path);
        assert.equal(answer.headers.get("www-authenticate"), 'Bearer realm="dkv"');
        const wrong = await fetch(`${url}${path}${query}`, { headers: basic("root", "wrong") });
        assert.equal(wrong.status, 401, path);
      }
    }
  });

  it("at which a method is called with JSON is as that method", async (t) => {
    const { url } = await openRuled(t);
    for (const [path, method] of gatewayMethods) {
      if (open.includes(pathOf(method))) continue;
      const said = async (headers: Record<string, string>): Promise<string> => {
        const body = path.endsWith("/watch") ? '{"create_request":{"key":"aw=="}}' : "{}";
        const answer = await fetch(`${url}${path}`, { method: "POST", body, headers });
        return `${String(answer.status)} ${await answer.text()}`;
      };
      // A watch is refused in an answer.
      assert.match(await said({}), /^(400|200 .*canceled":true).*etcdserver: user name is empty/s, path);
      const wrong = await said({ authorization: "abcdefghijklmnop.7" });
      assert.match(wrong, /^(401|200 .*canceled":true).*invalid auth token/s, path);
      if (forUsers.includes(pathOf(method))) continue;
      assert.match(await said(basic("poor")), /^403 .*etcdserver: permission denied/, path);
    }
  });

  it("that says how the member is stays open", async (t) => {
    const { url } = await openRuled(t);
    for (const path of health) assert.equal((await fetch(`${url}${path}`)).status, 200, path);
  });

  it("tells a user what is not permitted", async (t) => {
    const { url } = await openRuled(t);
    for (const query of [
      "/get?key=k",
      "/set?key=k&value=v",
      "/delete?key=k",
      "/join?peerAddress=localhost:1",
      "/leave?node=x",
    ])
      assert.equal((await fetch(`${url}${query}`, { headers: basic("poor") })).status, 403, query);
  });

  it("serves root as it serves everybody without rules", async (t) => {
    const { url } = await openRuled(t);
    const as = { headers: basic("root") };
    assert.equal(await (await fetch(`${url}/set?key=k&value=v`, as)).text(), "ok\n");
    assert.equal(await (await fetch(`${url}/get?key=k`, as)).text(), "v\n");
  });
});
