import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type Client,
  Code,
  ConnectError,
  createClient,
  type Interceptor,
  type Transport,
} from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import {
  DkvAPI,
  ErrorDetailSchema,
  LeaseAPI,
  MembershipAPI,
  type PipeRequestSchema,
} from "@dkv/protocol/dkv/v1/dkv";
import { MaintenanceAPI } from "@dkv/protocol/dkv/v1/maintenance";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { openClientPort } from "../client-port.ts";
import { addUser, allow, basic, change, enableRules, passwords } from "./rules.ts";

function transportFor(url: string, header: Record<string, string> = {}): Transport {
  const withHeader: Interceptor = (next) => (request) => {
    for (const [name, value] of Object.entries(header)) request.header.set(name, value);
    return next(request);
  };
  return createGrpcTransport({ baseUrl: url, interceptors: [withHeader] });
}

/** What a call is refused with: its status, and what its details say. */
async function refusalOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "done";
  } catch (error) {
    assert.ok(error instanceof ConnectError);
    return `${Code[error.code]}: ${error.findDetails(ErrorDetailSchema)[0]?.code ?? error.rawMessage}`;
  }
}

const denied = "PermissionDenied: permission_denied";

const value = Uint8Array.of(118);

for (const bypass of ["allowed", "forbidden"] as const) {
  describe(`dkv.v1, the fast path ${bypass}`, () => {
    it("lets a user do what is permitted", async (t) => {
      const { url, member } = await openClientPort(t, { bypass });
      await enableRules(member);
      await allow(member, "poor", { kind: "both", key: "a", rangeEnd: "c" });
      const transport = transportFor(url, basic("poor"));
      const [dkv, lease] = [createClient(DkvAPI, transport), createClient(LeaseAPI, transport)];
      await dkv.set({ key: "a", value });
      await dkv.set({ key: "b", value, ttlSeconds: 100n });
      assert.equal((await dkv.get({ key: "a" })).value.length, 1);
      assert.equal((await dkv.get({ key: "a", revision: 2n })).value.length, 1);
      assert.equal((await dkv.list({ keys: { keys: { case: "prefix", value: "b" } } })).found.length, 1);
      await dkv.delete({ key: "a", ifVersion: 1n });
      const { id } = await lease.grantLease({ ttlSeconds: 100n });
      await dkv.set({ key: "a", value, lease: id });
      assert.equal((await lease.getLease({ id, returnKeys: true })).keys.length, 1);
      await lease.keepLeaseAlive({ id });
      await lease.revokeLease({ id });
      assert.equal((await createClient(MaintenanceAPI, transport).status({})).isLeader, true);
    });

    it("refuses what is not", async (t) => {
      const { url, member } = await openClientPort(t, { bypass });
      await enableRules(member);
      await allow(member, "poor", { kind: "write", key: "a" });
      const root = createClient(DkvAPI, transportFor(url, basic("root")));
      await root.set({ key: "b", value });
      const transport = transportFor(url, basic("poor"));
      const dkv = createClient(DkvAPI, transport);
      const [members, maintenance] = [
        createClient(MembershipAPI, transport),
        createClient(MaintenanceAPI, transport),
      ];
      const calls = [
        dkv.set({ key: "b", value }),
        dkv.set({ key: "a", value, returnPrevious: true }),
        dkv.set({ key: "a", value, ifAbsent: true }),
        dkv.get({ key: "a" }),
        dkv.get({ key: "b", serializable: true }),
        dkv.get({ key: "b", revision: 2n }),
        dkv.delete({ key: "b" }),
        dkv.list({ keys: { keys: { case: "prefix", value: "" } } }),
        dkv.txn({
          success: [{ operation: { case: "get", value: { keys: { keys: { case: "key", value: "b" } } } } }],
        }),
        dkv.compact({ revision: 2n }),
        members.joinServer({ id: "two", address: "localhost:1" }),
        members.moveLeader({ id: "one" }),
        maintenance.check({}),
        (async () => {
          for await (const _ of dkv.watch({ keys: { keys: { case: "key", value: "b" } } }));
        })(),
        (async () => {
          for await (const _ of maintenance.snapshot({}));
        })(),
      ];
      assert.deepEqual(
        await Promise.all(calls.map(refusalOf)),
        calls.map(() => denied),
      );
      assert.equal(
        await refusalOf(createClient(DkvAPI, transportFor(url)).get({ key: "a" })),
        "Unauthenticated: user_empty",
      );
      const wrong = createClient(DkvAPI, transportFor(url, basic("root", "wrong")));
      assert.equal(await refusalOf(wrong.get({ key: "a" })), "Unauthenticated: auth_failed");
      assert.equal((await root.get({ key: "b" })).value.length, 1);
      assert.deepEqual(member.changes, []);
    });

    it("looks at every operation of a pipe, and at those of one that was there before the rules", async (t) => {
      const { url, member } = await openClientPort(t, { bypass });
      const before = new Piping(createClient(DkvAPI, transportFor(url)));
      const set = { case: "set", value: { key: "a", value } } as const;
      const get = { case: "get", value: { key: "a" } } as const;
      const local = { case: "get", value: { key: "a", serializable: true } } as const;
      const past = { case: "get", value: { key: "a", revision: 2n } } as const;
      assert.deepEqual([await before.ask(set), await before.ask(get)], ["set", "get"]);
      await enableRules(member);
      for (const operation of [set, get, local, past])
        assert.equal(await before.ask(operation), "user_empty");
      await allow(member, "poor", { kind: "both", key: "a" });
      const poor = new Piping(createClient(DkvAPI, transportFor(url, basic("poor"))));
      for (const operation of [set, get, local, past])
        assert.equal(await poor.ask(operation), operation.case);
      await change(member, { case: "revokeRole", value: { user: "poor", role: "poor" } });
      for (const operation of [set, get, local, past])
        assert.equal(await poor.ask(operation), "permission_denied");
      before.end();
      poor.end();
    });

    it("does no operation of a pipe that began with another password, or for another user of the name", async (t) => {
      const { url, member } = await openClientPort(t, { bypass });
      await enableRules(member);
      const set = { case: "set", value: { key: "a", value } } as const;
      const get = { case: "get", value: { key: "a", serializable: true } } as const;
      const begin = async (password: string): Promise<Piping> => {
        await allow(member, "poor", { kind: "both", key: "a" });
        const pipe = new Piping(createClient(DkvAPI, transportFor(url, basic("poor", password))));
        assert.deepEqual([await pipe.ask(set), await pipe.ask(get)], ["set", "get"]);
        return pipe;
      };
      const first = await begin("poor");
      const passwordHash = await passwords.hashOf("another");
      await change(member, { case: "changePassword", value: { name: "poor", passwordHash } });
      const second = await begin("another");
      await change(member, { case: "deleteUser", value: { name: "poor" } });
      await addUser(member, "poor");
      await change(member, { case: "grantRole", value: { user: "poor", role: "poor" } });
      const third = await begin("poor");
      for (const operation of [set, get]) {
        assert.equal(await first.ask(operation), "invalid_auth_token");
        assert.equal(await second.ask(operation), "invalid_auth_token");
        assert.equal(await third.ask(operation), operation.case);
      }
      for (const pipe of [first, second, third]) pipe.end();
    });

    it("goes by the rules as they are for each page of a list", async (t) => {
      const { url, member } = await openClientPort(t, { bypass });
      await enableRules(member);
      const root = createClient(DkvAPI, transportFor(url, basic("root")));
      for (const key of ["a", "b"]) await root.set({ key, value });
      const keys = { keys: { case: "prefix", value: "" } } as const;
      for (const serializable of [false, true]) {
        const request = { keys, limit: 1, serializable };
        const { nextPageToken: pageToken } = await root.list(request);
        const before = member.barriers;
        assert.equal((await root.list({ ...request, pageToken })).found[0]?.key, "b");
        // What the revision was is known here: what root may do is to be confirmed.
        assert.equal(member.barriers - before, serializable ? 0 : 1);
      }
    });

    it("ends a watch whose user may not read its keys any more", async (t) => {
      const { url, member } = await openClientPort(t, { bypass });
      await enableRules(member);
      await allow(member, "poor", { kind: "read", key: "a" });
      const root = createClient(DkvAPI, transportFor(url, basic("root")));
      const keys = { keys: { case: "key", value: "a" } } as const;
      const poor = createClient(DkvAPI, transportFor(url, basic("poor")));
      const events = poor.watch({ keys })[Symbol.asyncIterator]();
      await events.next();
      await root.set({ key: "a", value });
      assert.equal((await events.next()).value?.events.length, 1);
      await change(member, { case: "deleteUser", value: { name: "poor" } });
      await root.set({ key: "a", value });
      assert.equal(await refusalOf(events.next()), denied);
      assert.equal(member.watches.openStreams, 0);
    });
  });
}

type PipeRequest = MessageInitShape<typeof PipeRequestSchema>;

/** One operation after the other on a pipe. */
class Piping {
  readonly #answers: AsyncIterator<{
    readonly result: { readonly case?: string | undefined; readonly value?: unknown };
  }>;
  #request = Promise.withResolvers<PipeRequest | undefined>();

  constructor(client: Client<typeof DkvAPI>) {
    this.#answers = client.pipe(this.#requests())[Symbol.asyncIterator]();
  }

  /** The kind of the answer, or what it was refused with. */
  async ask(operation: PipeRequest["operation"]): Promise<string> {
    const answer = this.#answers.next();
    this.#request.resolve({ id: 1n, ...(operation && { operation }) });
    const { value: told } = await answer;
    const result = told?.result;
    return result?.case === "error" ? result.value.detail.code : result?.case;
  }

  end(): void {
    this.#request.resolve(undefined);
  }

  async *#requests(): AsyncGenerator<PipeRequest> {
    for (;;) {
      const request = await this.#request.promise;
      if (request === undefined) return;
      this.#request = Promise.withResolvers();
      yield request;
    }
  }
}
