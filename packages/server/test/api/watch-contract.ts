/** What every protocol must do with the watches of dkv.v1, as a suite. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { type Client, Code, createClient } from "@connectrpc/connect";
import { DkvAPI, ErrorDetailSchema, EventKind, type WatchResponse } from "@dkv/protocol/dkv/v1/dkv";
import { DkvError } from "../../src/platform/errors.ts";
import { type ClientPort, openClientPort } from "./client-port.ts";
import type { Protocol } from "./contract.ts";
import { failureOf, refusal } from "./refusal.ts";

type Opened = ClientPort & { readonly dkv: Client<typeof DkvAPI> };

const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (value: Uint8Array | undefined): string | undefined => value && Buffer.from(value).toString();
const prefix = (value: string) => ({ keys: { case: "prefix", value } }) as const;

export function watchContract(name: string, protocol: Protocol): void {
  const open = async (t: TestContext): Promise<Opened> => {
    const port = await openClientPort(t, protocol.port);
    return { ...port, dkv: createClient(DkvAPI, protocol.transport(port.url)) };
  };

  /** A watch that has begun: from now on it misses nothing. */
  const begin = async (
    { dkv }: Opened,
    request: Parameters<typeof dkv.watch>[0],
    signal?: AbortSignal,
  ): Promise<{ readonly first: WatchResponse; next(): Promise<WatchResponse> }> => {
    const answers = dkv.watch(request, signal === undefined ? {} : { signal })[Symbol.asyncIterator]();
    const next = async (): Promise<WatchResponse> => {
      const { value, done } = await answers.next();
      assert.ok(done !== true, "a watch does not end well");
      return value;
    };
    return { first: await next(), next };
  };

  const said = ({ events, revision }: WatchResponse) => [
    revision,
    ...events.map(({ kind, kv, previous }) =>
      [
        kind === EventKind.SET ? "SET" : "DELETE",
        kv?.key,
        text(kv?.value),
        kv?.modRevision,
        text(previous?.value),
      ].join(" "),
    ),
  ];

  describe(`Watch over ${name}`, () => {
    it("says first that it has begun, then what is done to its keys", async (t) => {
      const port = await open(t);
      const { dkv } = port;
      const { first, next } = await begin(port, { keys: prefix("k") });
      assert.deepEqual(said(first), [1n]);
      await dkv.set({ key: "other" });
      await dkv.set({ key: "k", value: bytes("v") });
      assert.deepEqual(said(await next()), [3n, "SET k v 3 "]);
      await dkv.delete({ key: "k" });
      const deleted = await next();
      assert.deepEqual(said(deleted), [4n, "DELETE k  4 "]);
      assert.deepEqual([deleted.events[0]?.kv?.version, deleted.header?.revision], [0n, 4n]);
    });

    it("tells what was before it from the revision that is asked for, with what each key was", async (t) => {
      const port = await open(t);
      const { dkv } = port;
      for (const value of ["1", "2", "3"]) await dkv.set({ key: "k", value: bytes(value) });
      await dkv.delete({ key: "k" });
      const { first, next } = await begin(port, {
        keys: prefix(""),
        startRevision: 3n,
        returnPrevious: true,
      });
      assert.deepEqual(said(first), [2n]);
      assert.deepEqual(said(await next()), [5n, "SET k 2 3 1", "SET k 3 4 2", "DELETE k  5 3"]);
    });

    it("keeps what one transaction has changed together, and leaves out what is not wanted", async (t) => {
      const port = await open(t);
      const { dkv } = port;
      const { next } = await begin(port, { keys: prefix(""), exclude: [EventKind.DELETE] });
      await dkv.set({ key: "gone" });
      assert.equal((await next()).events.length, 1);
      await dkv.delete({ key: "gone" });
      const success = Array.from({ length: 128 }, (_, at) => ({
        operation: { case: "set", value: { key: `k${String(at)}` } } as const,
      }));
      await dkv.txn({ success });
      const together = await next();
      assert.deepEqual([together.events.length, together.revision], [128, 4n]);
    });

    it("says how far it has come when nothing happens, if that is wanted", async (t) => {
      const port = await open(t);
      const { next } = await begin(port, { keys: prefix("k"), progressSeconds: 1 });
      await port.dkv.set({ key: "other" });
      assert.deepEqual(said(await next()), [2n]);
    });

    it("ends when what it would tell next was given up", async (t) => {
      const port = await open(t);
      const { dkv } = port;
      for (const value of ["1", "2", "3"]) await dkv.set({ key: "k", value: bytes(value) });
      await dkv.compact({ revision: 3n });
      const { next } = await begin(port, { keys: prefix(""), startRevision: 2n });
      const error = await failureOf(next());
      assert.equal(error.code, Code.OutOfRange);
      assert.equal(error.findDetails(ErrorDetailSchema)[0]?.compactRevision, 3n);
      const { next: more } = await begin(port, { keys: prefix(""), startRevision: 3n });
      assert.equal((await more()).events.length, 2);
    });

    it("ends with the reason when the member cannot go on, or takes no more", async (t) => {
      const port = await open(t);
      const { member } = port;
      const { next } = await begin(port, { keys: prefix("") });
      member.watches.failure = new DkvError("corrupt", "its state differs");
      member.watches.wake();
      await assert.rejects(next(), refusal(Code.DataLoss, "its state differs"));
      member.watches.failure = new DkvError("overloaded", "too many watches");
      await assert.rejects(
        begin(port, { keys: prefix("") }),
        refusal(Code.ResourceExhausted, "too many watches"),
      );
      await assert.rejects(begin(port, {}), refusal(Code.InvalidArgument, "keys is not set"));
      assert.equal(member.watches.openStreams, 0);
    });

    it("is given up when its client goes, and when the member stops", async (t) => {
      const port = await open(t);
      const { member } = port;
      const abort = new AbortController();
      const gone = await begin(port, { keys: prefix("") }, abort.signal);
      const { next } = await begin(port, { keys: prefix("") });
      assert.equal(member.watches.openStreams, 2);
      const canceled = assert.rejects(gone.next(), refusal(Code.Canceled, ""));
      abort.abort();
      await canceled;
      while (member.watches.openStreams > 1) await new Promise(setImmediate);
      const ended = assert.rejects(next(), refusal(Code.Unavailable, "is stopping"));
      await port.close(1000);
      await ended;
      assert.equal(member.watches.openStreams, 0);
    });
  });
}
