/** What every protocol must do with the keys of dkv.v1 beside plain reads and writes, as a suite. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Client, Code, createClient } from "@connectrpc/connect";
import {
  CompareRelation,
  DkvAPI,
  ErrorDetailSchema,
  LeaseAPI,
  type TxnOperationSchema,
} from "@dkv/protocol/dkv/v1/dkv";
import { plainSet } from "@dkv/store";
import type { Protocol } from "./contract.ts";
import { type ClientPort, openClientPort, type PortOptions } from "./client-port.ts";
import { failureOf, refusal } from "./refusal.ts";

interface Opened extends ClientPort {
  readonly dkv: Client<typeof DkvAPI>;
  readonly leases: Client<typeof LeaseAPI>;
}

const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (value: Uint8Array | undefined): string | undefined => value && Buffer.from(value).toString();
const prefix = (value: string) => ({ keys: { case: "prefix", value } }) as const;
const oneKey = (value: string) => ({ keys: { case: "key", value } }) as const;

const set = (key: string, value: string): MessageInitShape<typeof TxnOperationSchema> => ({
  operation: { case: "set", value: { key, value: bytes(value) } },
});

export function keysContract(name: string, protocol: Protocol): void {
  const open = async (t: TestContext, options: PortOptions = {}): Promise<Opened> => {
    const port = await openClientPort(t, { ...protocol.port, ...options });
    const transport = protocol.transport(port.url);
    return { ...port, dkv: createClient(DkvAPI, transport), leases: createClient(LeaseAPI, transport) };
  };

  describe(`keys of dkv.v1 over ${name}`, () => {
    it("reads a key as it was, and says which revisions can be read", async (t) => {
      const { dkv } = await open(t);
      for (const value of ["one", "two", "three"]) await dkv.set({ key: "k", value: bytes(value) });
      assert.equal(text((await dkv.get({ key: "k", revision: 3n })).value), "two");
      assert.equal(text((await dkv.get({ key: "k", revision: 4n, serializable: true })).value), "three");
      await assert.rejects(dkv.get({ key: "k", revision: 1n }), refusal(Code.NotFound, "key not found"));
      for (const revision of [5n, 2n ** 64n - 1n])
        await assert.rejects(
          dkv.get({ key: "k", revision }),
          refusal(Code.OutOfRange, "does not exist yet: the current one is 4"),
        );
      await dkv.compact({ revision: 3n, wait: true });
      assert.equal(text((await dkv.get({ key: "k", revision: 3n })).value), "two");
      const error = await failureOf(dkv.get({ key: "k", revision: 2n }));
      assert.equal(error.code, Code.OutOfRange);
      assert.equal(error.findDetails(ErrorDetailSchema)[0]?.compactRevision, 3n);
      const already = "was given up by a compaction already: the oldest revision left is 3";
      await assert.rejects(dkv.compact({ revision: 2n }), refusal(Code.OutOfRange, already));
      await assert.rejects(dkv.compact({}), refusal(Code.InvalidArgument, "revision is 0"));
    });

    it("writes under conditions only when they hold, and says what the key is when they do not", async (t) => {
      const { dkv, member } = await open(t);
      await dkv.set({ key: "k", value: bytes("1"), ifAbsent: true });
      await dkv.set({ key: "k", value: bytes("2"), ifVersion: 1n });
      await dkv.set({ key: "k", value: bytes("3"), ifModRevision: 3n, ifVersion: 2n });
      for (const conditions of [
        { ifAbsent: true },
        { ifVersion: 2n },
        { ifVersion: 0n },
        { ifVersion: 2n ** 64n - 1n },
        { ifModRevision: 3n },
        { ifModRevision: 0n },
        { ifModRevision: 4n, ifVersion: 1n },
      ]) {
        const refused = refusal(Code.FailedPrecondition, "the key has version 3 and mod_revision 4 now");
        await assert.rejects(dkv.set({ key: "k", value: bytes("no"), ...conditions }), refused);
        if (!("ifAbsent" in conditions))
          await assert.rejects(dkv.delete({ key: "k", ...conditions }), refused);
      }
      const missing = refusal(Code.FailedPrecondition, "the key is missing now");
      await assert.rejects(dkv.set({ key: "other", ifModRevision: 1n }), missing);
      assert.equal(member.store.revision, 4);
      assert.equal((await dkv.delete({ key: "other", ifVersion: 0n })).deleted, false);
      assert.equal((await dkv.delete({ key: "k", ifModRevision: 4n, ifVersion: 3n })).deleted, true);
    });

    it("answers what the key was before, if that is wanted", async (t) => {
      const { dkv } = await open(t);
      assert.equal(
        (await dkv.set({ key: "k", value: bytes("1"), returnPrevious: true })).previous,
        undefined,
      );
      const { previous } = await dkv.set({
        key: "k",
        value: bytes("2"),
        returnPrevious: true,
        ifVersion: 1n,
      });
      assert.deepEqual([previous?.key, text(previous?.value), previous?.modRevision], ["k", "1", 2n]);
      assert.equal((await dkv.set({ key: "k", value: bytes("3") })).previous, undefined);
      assert.equal(text((await dkv.delete({ key: "k", returnPrevious: true })).previous?.value), "3");
      assert.equal((await dkv.delete({ key: "k", returnPrevious: true })).previous, undefined);
    });

    it("gives keys a lease, of their own or one that there is", async (t) => {
      const { dkv, leases } = await open(t);
      await dkv.set({ key: "own", value: bytes("1"), ttlSeconds: 60n });
      const { lease: own } = await dkv.get({ key: "own" });
      const shown = await leases.getLease({ id: own, returnKeys: true });
      assert.deepEqual([shown.grantedTtlSeconds, shown.keys.map(({ key }) => key)], [60n, ["own"]]);
      await dkv.set({ key: "brief", ttlSeconds: 1n });
      const { lease: brief } = await dkv.get({ key: "brief" });
      assert.equal((await leases.getLease({ id: brief })).grantedTtlSeconds, 2n, "no less than the least");
      const { id } = await leases.grantLease({ ttlSeconds: 100n });
      await dkv.set({ key: "shared", lease: id });
      assert.equal((await dkv.get({ key: "shared" })).lease, id);
      const contradiction = refusal(Code.InvalidArgument, "both set");
      await assert.rejects(dkv.set({ key: "k", lease: id, ttlSeconds: 60n }), contradiction);
      await assert.rejects(dkv.set({ key: "k", lease: 99n }), refusal(Code.NotFound, "no such lease"));
      const tooLong = refusal(Code.InvalidArgument, "at most 9000000000");
      await assert.rejects(dkv.set({ key: "k", ttlSeconds: 2n ** 64n - 1n }), tooLong);
      await leases.revokeLease({ id });
      await assert.rejects(dkv.get({ key: "shared" }), refusal(Code.NotFound, "key not found"));
    });

    it("grants, shows, keeps alive, lists and revokes leases", async (t) => {
      const { leases } = await open(t);
      const granted = await leases.grantLease({ ttlSeconds: 30n, id: 7n });
      assert.deepEqual([granted.id, granted.ttlSeconds], [7n, 30n]);
      assert.equal((await leases.keepLeaseAlive({ id: 7n })).ttlSeconds, 30n);
      assert.equal((await leases.getLease({ id: 7n })).ttlSeconds, 30n);
      const { id } = await leases.grantLease({ ttlSeconds: 1n });
      assert.deepEqual(new Set((await leases.listLeases({})).ids), new Set([7n, id]));
      await leases.revokeLease({ id: 7n });
      await assert.rejects(leases.revokeLease({ id: 7n }), refusal(Code.NotFound, "no such lease"));
      const gone = refusal(Code.NotFound, "lease 0000000000000007 (decimal 7) ran out");
      await assert.rejects(leases.keepLeaseAlive({ id: 7n }), gone);
      await assert.rejects(leases.getLease({ id: 7n }), gone);
      await assert.rejects(
        leases.grantLease({ ttlSeconds: 1n, id }),
        refusal(Code.AlreadyExists, "that id already"),
      );
      await assert.rejects(leases.grantLease({}), refusal(Code.InvalidArgument, "at least 1"));
      await assert.rejects(
        leases.grantLease({ ttlSeconds: -1n }),
        refusal(Code.InvalidArgument, "at least 1"),
      );
      await assert.rejects(
        leases.grantLease({ ttlSeconds: 1n, id: -1n }),
        refusal(Code.InvalidArgument, "negative"),
      );
    });

    it("does one list of a transaction or the other, as one change", async (t) => {
      const { dkv } = await open(t);
      const swap = {
        compares: [{ keys: oneKey("lock"), target: { case: "version", value: 0n } as const }],
        success: [
          set("lock", "mine"),
          set("log/1", "a"),
          { operation: { case: "get", value: { keys: prefix("l") } } } as const,
        ],
        failure: [{ operation: { case: "get", value: { keys: oneKey("lock") } } } as const],
      };
      const first = await dkv.txn(swap);
      assert.equal(first.succeeded, true);
      assert.equal(first.header?.revision, 2n);
      assert.deepEqual(
        first.results.map(({ result }) => result.case),
        ["set", "set", "get"],
      );
      const found = first.results[2]?.result;
      assert.ok(found?.case === "get");
      assert.deepEqual(
        found.value.found.map(({ key, modRevision }) => [key, modRevision]),
        [
          ["lock", 2n],
          ["log/1", 2n],
        ],
      );
      const second = await dkv.txn(swap);
      assert.equal(second.succeeded, false);
      const [only] = second.results;
      assert.ok(only?.result.case === "get");
      assert.equal(text(only.result.value.found[0]?.value), "mine");
      const clear = await dkv.txn({
        compares: [
          {
            keys: prefix("log/"),
            relation: CompareRelation.GREATER,
            target: { case: "modRevision", value: 1n },
          },
        ],
        success: [
          { operation: { case: "delete", value: { keys: prefix("log/"), returnPrevious: true } } },
          { operation: { case: "txn", value: { success: [set("nested", "yes")] } } },
        ],
      });
      const [deleted, nested] = clear.results.map(({ result }) => result);
      assert.ok(deleted?.case === "delete" && nested?.case === "txn");
      assert.deepEqual([deleted.value.deleted, text(deleted.value.previous[0]?.value)], [1n, "a"]);
      assert.equal(nested.value.succeeded, true);
      assert.equal(nested.value.header, undefined);
    });

    it("refuses transactions that are none before anything is proposed", async (t) => {
      const { dkv, member } = await open(t, { maxRequestBytes: 1000 });
      const refused = async (txn: Parameters<typeof dkv.txn>[0], words: string): Promise<void> => {
        await assert.rejects(dkv.txn(txn), refusal(Code.InvalidArgument, words));
      };
      const many = Array.from({ length: 129 }, (_, at) => set(String(at), ""));
      await refused({ success: many }, "at most 128 operations");
      await refused({ failure: many }, "at most 128 operations");
      await refused(
        { compares: many.map(() => ({ keys: oneKey("k"), target: { case: "version", value: 0n } })) },
        "at most 128 comparisons",
      );
      await refused({ success: [set("a", "1"), set("a", "2")] }, "set twice");
      await refused(
        { success: [set("a", "1"), { operation: { case: "delete", value: { keys: prefix("") } } }] },
        "set twice",
      );
      await refused({ success: [set("", "1")] }, "key is empty");
      await refused({ success: [{}] }, "does nothing");
      await refused({ compares: [{ keys: oneKey("k") }] }, "says nothing");
      await refused({ success: [{ operation: { case: "get", value: {} } }] }, "keys is not set");
      await refused(
        { success: [set("a", "x".repeat(500)), set("b", "x".repeat(500))] },
        "1000 bytes together",
      );
      assert.equal(member.proposals, 0);
      assert.equal((await dkv.txn({ success: many.slice(1) })).succeeded, true);
    });

    it("asks a quorum for a revision that is not here yet, whoever may answer", async (t) => {
      const { dkv, member } = await open(t);
      await dkv.set({ key: "k" });
      const local = { key: "k", serializable: true };
      await dkv.get({ ...local, revision: 2n });
      await dkv.list({ keys: prefix("k"), serializable: true, revision: 2n });
      assert.equal(member.barriers, 0);
      const isNone = refusal(Code.OutOfRange, "does not exist yet: the current one is 2");
      await assert.rejects(dkv.get({ ...local, revision: 3n }), isNone);
      await assert.rejects(dkv.list({ keys: prefix("k"), serializable: true, revision: 3n }), isNone);
      assert.equal(member.barriers, 2);
    });

    it("lists keys page by page, all of one revision", async (t) => {
      const { dkv, member } = await open(t);
      const keys = Array.from({ length: 25 }, (_, at) => `k${String(at).padStart(2, "0")}`);
      for (const key of keys) await dkv.set({ key, value: bytes(key) });
      await dkv.set({ key: "l" });
      const request = { keys: prefix("k"), limit: 10 };
      const first = await dkv.list(request);
      await dkv.set({ key: "k15", value: bytes("later") });
      await dkv.delete({ key: "k16" });
      await dkv.set({ key: "k155" });
      const second = await dkv.list({ ...request, pageToken: first.nextPageToken });
      const third = await dkv.list({ ...request, pageToken: second.nextPageToken });
      assert.equal(member.barriers, 1, "what a revision was need not be confirmed");
      const pages = [first, second, third];
      assert.deepEqual(
        pages.flatMap(({ found }) => found.map(({ key, value }) => [key, text(value)])),
        keys.map((key) => [key, key]),
      );
      assert.deepEqual(
        pages.map(({ header }) => header?.revision),
        [27n, 27n, 27n],
      );
      assert.equal(third.nextPageToken, "");
    });

    it("lists what is asked for, in the order of bytes", async (t) => {
      const { dkv } = await open(t);
      for (const key of ["a", "ab", "b", "ä", "\u{1f600}", "\uffff"])
        await dkv.set({ key, value: bytes(key) });
      const keysOf = async (request: Parameters<typeof dkv.list>[0]) =>
        (await dkv.list(request)).found.map(({ key }) => key);
      const bounds = (from: string, before: string) =>
        ({ keys: { case: "bounds", value: { from, before } } }) as const;
      assert.deepEqual(await keysOf({ keys: prefix("") }), ["a", "ab", "b", "ä", "\uffff", "\u{1f600}"]);
      assert.deepEqual(await keysOf({ keys: prefix("a") }), ["a", "ab"]);
      assert.deepEqual(await keysOf({ keys: oneKey("ab") }), ["ab"]);
      assert.deepEqual(await keysOf({ keys: bounds("", "b") }), ["a", "ab"]);
      assert.deepEqual(await keysOf({ keys: bounds("ab", "") }), ["ab", "b", "ä", "\uffff", "\u{1f600}"]);
      assert.deepEqual(await keysOf({ keys: prefix(""), revision: 3n }), ["a", "ab"]);
      const { found } = await dkv.list({ keys: prefix("a"), keysOnly: true, serializable: true });
      assert.deepEqual(
        found.map(({ value }) => value.length),
        [0, 0],
      );
      for (const keys of [bounds("b", "b"), bounds("c", "b"), bounds("", "\0")])
        await assert.rejects(dkv.list({ keys }), refusal(Code.InvalidArgument, "no key between them"));
      await assert.rejects(dkv.list({}), refusal(Code.InvalidArgument, "keys is not set"));
      await assert.rejects(dkv.list({ keys: oneKey("") }), refusal(Code.InvalidArgument, "key is empty"));
    });

    it("shows keys that are no text as they are", async (t) => {
      const { dkv, member } = await open(t);
      const raw = Uint8Array.of(0x66, 0xff, 0xfe);
      await member.apply({ case: "set", value: plainSet(raw, bytes("v")) });
      const [found] = (await dkv.list({ keys: prefix("f") })).found;
      assert.equal(found?.key, "");
      assert.deepEqual(Buffer.from(found.rawKey), Buffer.from(raw));
    });

    it("refuses page tokens that do not belong to the request, and says when their revision is gone", async (t) => {
      const { dkv } = await open(t);
      for (const key of ["a", "b", "c"]) await dkv.set({ key });
      const request = { keys: prefix(""), limit: 1 };
      const { nextPageToken: pageToken } = await dkv.list(request);
      const wrong = refusal(Code.InvalidArgument, "page_token was not given for this request");
      await assert.rejects(dkv.list({ ...request, keys: prefix("a"), pageToken }), wrong);
      await assert.rejects(dkv.list({ ...request, pageToken: `${pageToken}AAAA` }), wrong);
      await assert.rejects(dkv.list({ ...request, pageToken: "nonsense" }), wrong);
      assert.equal((await dkv.list({ ...request, pageToken })).found[0]?.key, "b");
      assert.equal((await dkv.list({ ...request, limit: 2, pageToken })).found.length, 2);
      await dkv.set({ key: "d" });
      await dkv.compact({ revision: 5n });
      await assert.rejects(
        dkv.list({ ...request, pageToken }),
        refusal(Code.OutOfRange, "given up by a compaction: the oldest one left is 5"),
      );
    });

    it("ends a page before it is too large for a message", async (t) => {
      const { dkv } = await open(t);
      const value = Buffer.alloc(100_000, 7);
      for (const key of ["a", "b", "c", "d"]) await dkv.set({ key, value });
      const first = await dkv.list({ keys: prefix("") });
      assert.deepEqual(
        first.found.map(({ key }) => key),
        ["a", "b"],
      );
      const second = await dkv.list({ keys: prefix(""), pageToken: first.nextPageToken });
      assert.deepEqual(
        second.found.map(({ key }) => key),
        ["c", "d"],
      );
      assert.equal(second.nextPageToken, "");
    });
  });
}
