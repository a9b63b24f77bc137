/** What every protocol with streams in both directions must do with Pipe, as a suite. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Client, Code, createClient } from "@connectrpc/connect";
import { DkvAPI, type PipeRequestSchema, type PipeResponse, Retry } from "@dkv/protocol/dkv/v1/dkv";
import { DkvError } from "../../src/platform/errors.ts";
import { type ClientPort, openClientPort, type PortOptions } from "./client-port.ts";
import type { Protocol } from "./contract.ts";
import { refusal } from "./refusal.ts";
import { Requests } from "./writable-requests.ts";

type Opened = ClientPort & { readonly dkv: Client<typeof DkvAPI> };
type Request = MessageInitShape<typeof PipeRequestSchema>;

const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (value: Uint8Array | undefined): string | undefined => value && Buffer.from(value).toString();

export function pipeContract(name: string, protocol: Protocol): void {
  const open = async (t: TestContext, options: PortOptions = {}): Promise<Opened> => {
    const port = await openClientPort(t, { ...protocol.port, ...options });
    return { ...port, dkv: createClient(DkvAPI, protocol.transport(port.url)) };
  };

  /** A stream on which answers come while requests go. */
  const begin = (dkv: Opened["dkv"], signal?: AbortSignal) => {
    const requests = new Requests<Request>();
    const answers = dkv.pipe(requests, signal === undefined ? {} : { signal })[Symbol.asyncIterator]();
    const next = async (): Promise<PipeResponse | undefined> => {
      const { value, done } = await answers.next();
      return done === true ? undefined : value;
    };
    const take = async (count: number): Promise<readonly PipeResponse[]> => {
      const taken: PipeResponse[] = [];
      while (taken.length < count) taken.push((await next()) ?? assert.fail("the stream has ended"));
      return taken;
    };
    return { requests, next, take };
  };

  const setOf = (id: number, key: string, value = ""): Request => ({
    id: BigInt(id),
    operation: { case: "set", value: { key, value: bytes(value) } },
  });
  const getOf = (id: number, key: string): Request => ({
    id: BigInt(id),
    operation: { case: "get", value: { key } },
  });
  const byId = (list: readonly PipeResponse[]) => list.toSorted((a, b) => Number(a.id - b.id));

  describe(`Pipe over ${name}`, () => {
    it("does operations of every kind, and says which one each answer is for", async (t) => {
      const { dkv, bypassed } = await open(t);
      const { requests, take, next } = begin(dkv);
      requests.send(setOf(1, "k", "v"));
      const [set] = await take(1);
      assert.ok(set?.result.case === "set");
      assert.deepEqual([set.id, set.result.value.header?.revision], [1n, 2n]);
      requests.send(
        getOf(2, "k"),
        { id: 3n, operation: { case: "get", value: { key: "k", serializable: true } } },
        { id: 2n ** 64n - 1n, operation: { case: "get", value: { key: "k", revision: 2n } } },
      );
      for (const { result } of await take(3)) {
        assert.ok(result.case === "get");
        assert.deepEqual([text(result.value.value), result.value.modRevision], ["v", 2n]);
      }
      requests.send(
        { id: 4n, operation: { case: "set", value: { key: "k", returnPrevious: true, ifVersion: 1n } } },
        {
          id: 5n,
          operation: {
            case: "txn",
            value: { success: [{ operation: { case: "set", value: { key: "t" } } }] },
          },
        },
        { id: 6n, operation: { case: "delete", value: { key: "t" } } },
        { operation: { case: "delete", value: { key: "nothing" } } },
      );
      const [nothing, conditional, txn, deleted] = byId(await take(4));
      assert.ok(conditional?.result.case === "set" && txn?.result.case === "txn");
      assert.ok(nothing?.result.case === "delete" && deleted?.result.case === "delete");
      assert.equal(text(conditional.result.value.previous?.value), "v");
      assert.equal(txn.result.value.succeeded, true);
      assert.deepEqual([nothing.result.value.deleted, deleted.result.value.deleted], [false, true]);
      requests.end();
      assert.equal(await next(), undefined);
      assert.equal(bypassed(), protocol.bypasses ? 1 : 0);
    });

    it("answers everything that was asked when no more comes", async (t) => {
      const { dkv, member } = await open(t);
      const { requests, take, next } = begin(dkv);
      const ids = Array.from({ length: 3000 }, (_, at) => at);
      requests.send(...ids.map((id) => setOf(id, `k${String(id % 50)}`, String(id))));
      requests.end();
      const answers = await take(ids.length);
      assert.equal(await next(), undefined);
      assert.deepEqual(
        byId(answers).map(({ id }) => Number(id)),
        ids,
      );
      assert.equal(member.store.revision, 3001);
      const revisions = answers.map(({ result }) => result.case === "set" && result.value.header?.revision);
      assert.equal(new Set(revisions).size, 3000, "each has the revision that it made");
    });

    it("has each operation fail on its own", async (t) => {
      const { dkv, member } = await open(t, { maxRequestBytes: 1000 });
      const { requests, take } = begin(dkv);
      requests.send(getOf(1, "missing"), setOf(2, ""), setOf(3, "k", "x".repeat(1000)), setOf(4, "k"), {
        id: 5n,
      });
      requests.send({ id: 6n, operation: { case: "set", value: { key: "k", ifVersion: 9n } } });
      const answers = byId(await take(6));
      const errors = answers.map(({ result }) =>
        result.case === "error" ? [result.value.status, result.value.detail?.code] : result.case,
      );
      assert.deepEqual(errors, [
        [Code.NotFound, "key_not_found"],
        [Code.InvalidArgument, "empty_key"],
        [Code.InvalidArgument, "request_too_large"],
        "set",
        [Code.InvalidArgument, "invalid_request"],
        [Code.FailedPrecondition, "precondition_failed"],
      ]);
      member.failure = new DkvError("outcomeUnknown", "nobody knows");
      requests.send(setOf(7, "k"), getOf(8, "k"));
      for (const { result } of await take(2)) {
        assert.ok(result.case === "error");
        assert.deepEqual([result.value.status, result.value.message], [Code.Unavailable, "nobody knows"]);
        assert.equal(result.value.detail?.retry, Retry.OUTCOME_UNKNOWN);
      }
      member.failure = new TypeError("secret of the house");
      requests.send(setOf(9, "k"));
      const [internal] = await take(1);
      assert.ok(internal?.result.case === "error");
      assert.equal(internal.result.value.status, Code.Internal);
      assert.match(internal.result.value.message, /^internal error/);
      member.failure = undefined;
      requests.send(setOf(10, "k"));
      assert.equal((await take(1))[0]?.result.case, "set");
    });

    it("answers what is done before what takes longer", async (t) => {
      const { dkv, member } = await open(t);
      const { requests, take } = begin(dkv);
      requests.send(setOf(1, "k", "v"));
      await take(1);
      const release = member.holdWrites();
      requests.send(setOf(2, "k", "later"), getOf(3, "k"));
      const [first] = await take(1);
      assert.ok(first?.id === 3n && first.result.case === "get");
      assert.equal(text(first.result.value.value), "v");
      release();
      assert.equal((await take(1))[0]?.id, 2n);
    });

    it("takes no more than so many operations at a time", async (t) => {
      const { dkv, member } = await open(t);
      const { requests, take } = begin(dkv);
      const release = member.holdWrites();
      requests.send(...Array.from({ length: 2000 }, (_, id) => setOf(id, "k")));
      while (member.proposals < 1024) await new Promise(setImmediate);
      // As often as the rest would need, and more.
      for (let turn = 0; turn < 200; turn += 1) await new Promise(setImmediate);
      assert.equal(member.proposals, 1024);
      release();
      assert.equal((await take(2000)).length, 2000);
    });

    it("ends with the member's stop when what was taken is answered", async (t) => {
      const port = await open(t);
      const { requests, take, next } = begin(port.dkv);
      const release = port.member.holdWrites();
      requests.send(setOf(1, "k"));
      while (port.member.proposals < 1) await new Promise(setImmediate);
      const closed = port.close(5000);
      release();
      assert.equal((await take(1))[0]?.id, 1n);
      await assert.rejects(next(), refusal(Code.Unavailable, "is stopping"));
      await closed;
    });

    it("outlives a client that goes in the middle", async (t) => {
      const { dkv, member } = await open(t);
      const abort = new AbortController();
      const { requests, next } = begin(dkv, abort.signal);
      const release = member.holdWrites();
      requests.send(setOf(1, "k", "v"));
      while (member.proposals < 1) await new Promise(setImmediate);
      abort.abort();
      await assert.rejects(next(), refusal(Code.Canceled, ""));
      release();
      const again = begin(dkv);
      again.requests.send(setOf(1, "k2"), getOf(2, "k"));
      const [, got] = byId(await again.take(2));
      assert.ok(got?.result.case === "get", "what had begun was done");
    });
  });
}
