/** Keys, as clients of etcd ask for them. What is expected here is what etcd 3.4.23 answered. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  Compare_CompareResult as Result,
  Compare_CompareTarget as Target,
  RangeRequest_SortOrder as Order,
  type RangeRequest_SortTarget as SortTarget,
} from "@dkv/protocol/etcdserverpb/rpc";
import {
  bytes,
  deleteOp,
  type EtcdClient,
  everything,
  openEtcd,
  putOp,
  rangeOp,
  refusalOf,
  textOf,
  txnOp,
  ways,
} from "./etcd-client.ts";

const put = (client: EtcdClient, key: string, value = "", more = {}) =>
  client.kv.put({ key: bytes(key), value: bytes(value), ...more });

const rowsOf = (kvs: readonly { key: Uint8Array; value: Uint8Array; modRevision: bigint }[]): string[] =>
  kvs.map(({ key, value, modRevision }) => `${textOf(key)}=${textOf(value)}@${String(modRevision)}`);

for (const way of ways) {
  describe(`KV of etcd, ${way}`, () => {
    it("sets, reads, and deletes keys that are any bytes", async (t) => {
      const client = await openEtcd(t, way);
      const { clusterId, memberId, term } = client.member.status();
      const first = await put(client, "\0\xff", "\xfe\0");
      assert.deepEqual(
        { ...first.header, $typeName: undefined },
        { clusterId, memberId, revision: 2n, raftTerm: BigInt(term), $typeName: undefined },
      );
      await put(client, "a", "1");
      const again = await put(client, "a", "2", { prevKv: true });
      assert.deepEqual(rowsOf([again.prevKv].filter((kv) => kv !== undefined)), ["a=1@3"]);
      const all = await client.kv.range(everything);
      assert.deepEqual(rowsOf(all.kvs), ["\0\xff=\xfe\0@2", "a=2@4"]);
      assert.deepEqual([all.count, all.more, all.header?.revision], [2n, false, 4n]);
      const gone = await client.kv.deleteRange({ ...everything, prevKv: true });
      assert.deepEqual([gone.deleted, gone.header?.revision, gone.prevKvs.length], [2n, 5n, 2]);
      const nothing = await client.kv.deleteRange(everything);
      assert.deepEqual([nothing.deleted, nothing.header?.revision], [0n, 5n]);
      assert.equal(client.bypassed() > 0, way === "fast");
    });

    it("answers a stream of ranges that is one answer when put together", async (t) => {
      const client = await openEtcd(t, way);
      for (let at = 0; at < 25; at += 1) await put(client, `k${String(at).padStart(2, "0")}`, "v");
      const parts: string[][] = [];
      const ends: unknown[] = [];
      for await (const { rangeResponse } of client.kv.rangeStream({ ...everything, limit: 20n })) {
        parts.push(rowsOf(rangeResponse?.kvs ?? []));
        ends.push([rangeResponse?.header?.revision, rangeResponse?.count, rangeResponse?.more]);
      }
      assert.deepEqual(
        parts.map(({ length }) => length),
        [10, 10],
      );
      assert.deepEqual(ends, [
        [undefined, 0n, false],
        [26n, 25n, true],
      ]);
      const whole = await client.kv.range({ ...everything, limit: 20n });
      assert.deepEqual(parts.flat(), rowsOf(whole.kvs));
      const counted: unknown[] = [];
      for await (const { rangeResponse } of client.kv.rangeStream({ ...everything, countOnly: true }))
        counted.push([rangeResponse?.count, rangeResponse?.kvs.length]);
      assert.deepEqual(counted, [[25n, 0]]);
      const sorted = client.kv.rangeStream({ ...everything, sortOrder: Order.DESCEND });
      assert.equal(
        await refusalOf(sorted[Symbol.asyncIterator]().next()),
        "Unimplemented: RangeStream does not support custom sort orders",
      );
    });

    it("refuses in etcd's words, with etcd's codes", async (t) => {
      const client = await openEtcd(t, way, { maxRequestBytes: 1000 });
      const { kv } = client;
      await put(client, "a", "1");
      await put(client, "a", "2");
      await kv.compact({ revision: 3n });
      const a = { key: bytes("a") };
      const expected: readonly (readonly [() => Promise<unknown>, string])[] = [
        [() => kv.range({}), "InvalidArgument: etcdserver: key is not provided"],
        [
          () => kv.range({ ...a, sortTarget: 9 as SortTarget }),
          "InvalidArgument: etcdserver: invalid sort option",
        ],
        [
          () => kv.range({ ...a, revision: 2n }),
          "OutOfRange: etcdserver: mvcc: required revision has been compacted",
        ],
        [
          () => kv.range({ ...a, revision: 4n }),
          "OutOfRange: etcdserver: mvcc: required revision is a future revision",
        ],
        [
          () => kv.put({ ...a, ignoreValue: true, value: bytes("x") }),
          "InvalidArgument: etcdserver: value is provided",
        ],
        [
          () => kv.put({ ...a, ignoreLease: true, lease: 1n }),
          "InvalidArgument: etcdserver: lease is provided",
        ],
        [() => kv.put({ key: bytes("no"), ignoreValue: true }), "InvalidArgument: etcdserver: key not found"],
        [
          () => kv.put({ key: bytes("no"), ignoreValue: true, lease: 9n }),
          "NotFound: etcdserver: requested lease not found",
        ],
        [
          () => kv.put({ ...a, value: new Uint8Array(1000) }),
          "InvalidArgument: etcdserver: request is too large",
        ],
        [
          () => kv.compact({ revision: 3n }),
          "OutOfRange: etcdserver: mvcc: required revision has been compacted",
        ],
        [
          () => kv.compact({ revision: 9n }),
          "OutOfRange: etcdserver: mvcc: required revision is a future revision",
        ],
      ];
      for (const [call, words] of expected) assert.equal(await refusalOf(call()), words);
    });
  });
}

describe("a transaction of etcd", () => {
  it("does what it says as one revision, and sees what it has done", async (t) => {
    const client = await openEtcd(t);
    await put(client, "a", "1");
    const compare = [
      { key: bytes("a"), target: Target.VALUE, targetUnion: { case: "value", value: bytes("1") } },
      { key: bytes("b"), target: Target.CREATE, targetUnion: { case: "createRevision", value: 0n } },
    ] as const;
    const nested = { compare: [compare[0]], success: [putOp("c", "3")], failure: [putOp("d", "4")] };
    const result = await client.kv.txn({
      compare: [...compare],
      success: [rangeOp("a"), putOp("a", "2"), txnOp(nested), rangeOp("a", "z"), deleteOp("zz")],
    });
    assert.equal(result.succeeded, true);
    const [before, set, inner, after, deleted] = result.responses.map(({ response }) => response);
    assert.deepEqual(before?.case === "responseRange" && rowsOf(before.value.kvs), ["a=1@2"]);
    assert.equal(before?.value?.header?.revision, 2n);
    assert.equal(set?.value?.header?.revision, 3n);
    assert.equal(inner?.case === "responseTxn" && inner.value.succeeded, true);
    assert.equal(inner?.value?.header?.revision, 0n);
    assert.deepEqual(after?.case === "responseRange" && rowsOf(after.value.kvs), ["a=2@3", "c=3@3"]);
    assert.equal(deleted?.value?.header?.revision, 3n);
    assert.equal(result.header?.revision, 3n);
  });

  it("that only reads or compares sees what was acknowledged before", async (t) => {
    const client = await openEtcd(t);
    const before = client.member.proposals;
    const missing = { key: bytes("a"), target: Target.VERSION };
    assert.equal((await client.kv.txn({ compare: [missing] })).succeeded, true);
    assert.equal(client.member.proposals, before + 1);
  });

  const refusals: readonly {
    readonly what: string;
    readonly ops: readonly ReturnType<typeof putOp>[];
    words: string;
  }[] = [
    { what: "puts a key twice", ops: [putOp("a"), putOp("a")], words: "duplicate key given in txn request" },
    {
      what: "puts what it deletes",
      ops: [putOp("b"), deleteOp("a", "c")],
      words: "duplicate key given in txn request",
    },
    {
      what: "puts what a nested one puts",
      ops: [txnOp({ success: [putOp("a")] }), putOp("a")],
      words: "duplicate key given in txn request",
    },
    {
      what: "puts what a nested one deletes",
      ops: [putOp("a"), txnOp({ failure: [deleteOp("a")] })],
      words: "duplicate key given in txn request",
    },
    { what: "has an operation that is none", ops: [{}], words: "key not found" },
    { what: "has an empty key", ops: [txnOp({ success: [rangeOp("")] })], words: "key is not provided" },
    {
      what: "has 129 operations",
      ops: Array.from({ length: 129 }, (_, at) => putOp(String(at))),
      words: "too many operations in txn request",
    },
    {
      what: "leaves a nested one too few",
      ops: [txnOp({ success: Array.from({ length: 128 }, (_, at) => putOp(String(at))) })],
      words: "too many operations in txn request",
    },
  ];
  for (const { what, ops, words } of refusals)
    it(`is refused before it does anything if it ${what}, in either list`, async (t) => {
      const client = await openEtcd(t);
      const never = [{ key: bytes("a"), target: Target.VERSION, result: Result.LESS }];
      for (const request of [
        { success: [...ops] },
        { failure: [...ops] },
        { compare: never, success: [...ops] },
      ])
        assert.equal(await refusalOf(client.kv.txn(request)), `InvalidArgument: etcdserver: ${words}`);
      assert.equal(client.member.proposals, 0);
    });

  it("may delete a key twice, and put it in both lists of a nested one", async (t) => {
    const client = await openEtcd(t);
    const nested = txnOp({ success: [putOp("a", "1")], failure: [putOp("a", "2")] });
    await client.kv.txn({ success: [nested, deleteOp("b"), deleteOp("b", "c")] });
    assert.deepEqual(rowsOf((await client.kv.range(everything)).kvs), ["a=1@2"]);
  });

  it("may change a key twice where etcd does not find it: the later change stays", async (t) => {
    const client = await openEtcd(t);
    await client.kv.txn({
      success: [
        putOp("a", "1"),
        deleteOp("a", "\0"),
        putOp("b", "1"),
        deleteOp("b", "a"),
        txnOp({ success: [putOp("c", "1")] }),
        txnOp({ success: [deleteOp("c")] }),
      ],
    });
    assert.deepEqual(rowsOf((await client.kv.range(everything)).kvs), ["b=1@2"]);
  });

  it("may have others in it 127 deep", async (t) => {
    const client = await openEtcd(t);
    let deepest = txnOp({ success: [putOp("deep", "1")] });
    for (let depth = 0; depth < 125; depth += 1) deepest = txnOp({ success: [deepest] });
    await client.kv.txn({ success: [deepest] });
    assert.deepEqual(rowsOf((await client.kv.range(everything)).kvs), ["deep=1@2"]);
    const tooDeep = txnOp({ success: [txnOp({ success: [deepest] })] });
    assert.equal(
      await refusalOf(client.kv.txn({ success: [tooDeep] })),
      "InvalidArgument: etcdserver: too many operations in txn request",
    );
  });

  it("finds equal what it cannot compare, and true what is in a relation that it does not know", async (t) => {
    const client = await openEtcd(t);
    await put(client, "a", "1");
    const unknown = 9;
    const holds = async (key: string, target: number, result: number): Promise<boolean> => {
      const compare = [{ key: bytes(key), target: target as Target, result: result as Result }];
      return (await client.kv.txn({ compare })).succeeded;
    };
    const results = [Result.EQUAL, Result.GREATER, Result.LESS, Result.NOT_EQUAL, unknown];
    for (const key of ["a", "missing"]) {
      const found: boolean[] = [];
      for (const result of results) found.push(await holds(key, unknown, result));
      assert.deepEqual(found, [true, false, false, false, true]);
      assert.equal(await holds(key, Target.MOD, unknown), true);
    }
    assert.equal(await holds("a", Target.VALUE, unknown), true);
    assert.equal(await holds("missing", Target.VALUE, unknown), false);
  });
});
