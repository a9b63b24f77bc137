/**
 * A member whose answers a test writes: a real HTTP/2 server with the real protocol, and no cluster behind
 * it.
 *
 * It keeps the keys it is given, so that a plain conversation needs no script.
 */
import { createServer, createSecureServer, type Http2Server, type ServerHttp2Session } from "node:http2";
import { once } from "node:events";
import type { TlsOptions as ServerTls } from "node:tls";

import { Code, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import {
  DkvAPI,
  type LeaseAPI,
  MembershipAPI,
  type ResponseHeaderSchema,
  Retry,
  type ServerSchema,
} from "@dkv/protocol/dkv/v1/dkv";
import {
  MaintenanceAPI,
  type MemberCheckSchema,
  type SnapshotRequest,
  type SnapshotResponseSchema,
  type StatusResponseSchema,
} from "@dkv/protocol/dkv/v1/maintenance";

import type { FakeStore, Init } from "./fake-store.ts";
import { refusal } from "./refusal.ts";
import { serveStore } from "./store-services.ts";

export { refusal };

/** Runs before each answer; what it throws is the answer. */
export type Script = (call: Call) => void | Promise<void>;

export interface Call {
  readonly method:
    | keyof typeof DkvAPI.method
    | keyof typeof LeaseAPI.method
    | keyof typeof MembershipAPI.method
    | keyof typeof MaintenanceAPI.method;
  /** Or the name of the member that is to change. */
  readonly key: string;
  readonly signal: AbortSignal;
  readonly timeoutMs: number | undefined;
}

export interface ScriptedMemberOptions {
  readonly script?: Script;
  /** What it has of keys and leases, perhaps with others; without one it keeps plain values. */
  readonly store?: FakeStore;
  readonly tls?: ServerTls;
  /** 0: any free one. */
  readonly port?: number;
}

export class ScriptedMember {
  readonly port: number;
  readonly calls: Call[] = [];
  readonly values = new Map<string, Uint8Array>();
  script: Script;
  /** Runs after what changed something, before it is answered. Only with a store. */
  afterwards: Script = () => {};
  /** What GetServers lists; changes of the membership change it. */
  servers: Init<typeof ServerSchema>[] = [];
  /** The pieces of a backup; the signal is aborted when nobody wants them any more. */
  backup: (signal: AbortSignal) => AsyncIterable<Uint8Array> = async function* () {};
  /** What a check finds. */
  check: {
    readonly index?: bigint;
    readonly hasMajority?: boolean;
    readonly members?: Init<typeof MemberCheckSchema>[];
  } = { index: 12n, hasMajority: true };
  /** How it is. */
  status: Init<typeof StatusResponseSchema> = {};
  /** Whom every answer names as leader. */
  leader = "";
  readonly #store: FakeStore | undefined;
  readonly #server: Http2Server;
  readonly #sessions: ReadonlySet<ServerHttp2Session>;

  private constructor(parts: {
    server: Http2Server;
    sessions: ReadonlySet<ServerHttp2Session>;
    port: number;
    script: Script;
    store: FakeStore | undefined;
  }) {
    this.#store = parts.store;
    this.#server = parts.server;
    this.#sessions = parts.sessions;
    this.port = parts.port;
    this.script = parts.script;
  }

  static async start({
    script = () => {},
    store,
    tls,
    port = 0,
  }: ScriptedMemberOptions = {}): Promise<ScriptedMember> {
    const server = tls === undefined ? createServer() : createSecureServer(tls);
    const sessions = new Set<ServerHttp2Session>();
    server.on("session", (session) => {
      sessions.add(session);
      session.on("close", () => sessions.delete(session)).on("error", () => {});
    });
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const member = new ScriptedMember({
      server,
      sessions,
      script,
      store,
      port: typeof address === "object" && address !== null ? address.port : 0,
    });
    server.on("request", connectNodeAdapter({ routes: (router) => member.#serve(router) }));
    return member;
  }

  get endpoint(): string {
    return `localhost:${this.port}`;
  }

  /** Methods asked so far, in order. */
  get methods(): readonly string[] {
    return this.calls.map(({ method }) => method);
  }

  /** Breaks all connections, as a crash does. */
  cut(): void {
    for (const session of this.#sessions) session.destroy();
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.cut();
    await closed;
  }

  #serve(router: ConnectRouter): ConnectRouter {
    const header = (): Header => ({
      clusterId: 0xffff_ffff_ffff_fff1n,
      memberId: 7n,
      leader: this.leader,
      term: 2n,
      appliedIndex: 12n,
      revision: 9n,
    });
    const services = {
      header,
      note: this.#note.bind(this),
      done: async (method: Call["method"], key: string, context: HandlerContext): Promise<void> =>
        this.afterwards(callOf(method, key, context)),
    };
    if (this.#store === undefined) this.#serveValues(router, header);
    else serveStore(router, { ...services, store: this.#store });
    return router
      .service(MembershipAPI, {
        getServers: async (_request, context) => {
          await this.#note("getServers", "", context);
          return { servers: this.servers, header: header() };
        },
        joinServer: async ({ id, address }, context) => {
          await this.#note("joinServer", id, context);
          this.servers = [...this.servers, { id, raftAddress: address, isLearner: true }];
          return { header: header() };
        },
        leaveServer: async ({ id }, context) => {
          await this.#note("leaveServer", id, context);
          this.servers = this.servers.filter((server) => server.id !== id);
          return { header: header() };
        },
        promoteServer: async ({ id }, context) => {
          await this.#note("promoteServer", id, context);
          this.#alter(id, { isLearner: false });
          return { header: header() };
        },
        replaceServer: async ({ oldId, id, address }, context) => {
          await this.#note("replaceServer", oldId, context);
          const replaces = this.servers.find((server) => server.id === oldId)?.memberId ?? 0n;
          this.servers = [...this.servers, { id, raftAddress: address, isLearner: true, replaces }];
          return { header: header() };
        },
        updateServer: async ({ id, address }, context) => {
          await this.#note("updateServer", id, context);
          this.#alter(id, { raftAddress: address });
          return { header: header() };
        },
        moveLeader: async ({ id }, context) => {
          await this.#note("moveLeader", id, context);
          this.leader = id;
          return { header: header() };
        },
      })
      .service(MaintenanceAPI, {
        snapshot: (request, context) => this.#snapshot(request, context),
        check: async (_request, context) => {
          await this.#note("check", "", context);
          return { ...this.check, header: header() };
        },
        status: async (_request, context) => {
          await this.#note("status", "", context);
          return { header: header(), ...this.status };
        },
      });
  }

  #serveValues(router: ConnectRouter, header: () => Header): void {
    router.service(DkvAPI, {
      get: async ({ key }, context) => {
        await this.#note("get", key, context);
        const value = this.values.get(key);
        if (value === undefined) throw refusal("key_not_found", Retry.NEVER, Code.NotFound);
        return { value, header: header(), createRevision: 3n, modRevision: 5n, version: 2n };
      },
      set: async ({ key, value }, context) => {
        await this.#note("set", key, context);
        this.values.set(key, value);
        return { header: header() };
      },
      delete: async ({ key }, context) => {
        await this.#note("delete", key, context);
        return { deleted: this.values.delete(key), header: header() };
      },
    });
  }

  async *#snapshot(
    { serializable }: SnapshotRequest,
    context: HandlerContext,
  ): AsyncGenerator<Init<typeof SnapshotResponseSchema>> {
    await this.#note("snapshot", serializable ? "serializable" : "", context);
    for await (const piece of this.backup(context.signal)) yield { piece };
  }

  #alter(id: string, change: Init<typeof ServerSchema>): void {
    this.servers = this.servers.map((server) => (server.id === id ? { ...server, ...change } : server));
  }

  async #note(method: Call["method"], key: string, context: HandlerContext): Promise<void> {
    const call = callOf(method, key, context);
    this.calls.push(call);
    await this.script(call);
  }
}

type Header = Init<typeof ResponseHeaderSchema>;

function callOf(method: Call["method"], key: string, context: HandlerContext): Call {
  return { method, key, signal: context.signal, timeoutMs: context.timeoutMs() };
}
