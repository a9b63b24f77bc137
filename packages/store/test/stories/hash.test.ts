/** The hash of the history. The numbers are those of etcd 3.4.23 for the same requests. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { KeyValueSchema } from "@dkv/protocol/mvccpb/kv";
import { crc32c } from "../../src/history/crc32c.ts";
import { etcdRecord } from "../../src/history/hash.ts";
import { fromByteString } from "../../src/bytes.ts";
import type { Change } from "../../src/version.ts";
import { compact, del, grant, removeHistory, set, txn } from "../commands.ts";
import { Disk } from "../disk.ts";
import { Play, removeAll } from "../play.ts";

const numbers = {
  nothing: 1084519789,
  whole: 1885048857,
  atThree: 1827592406,
  withTxn: 1871578493,
  compactedAtFour: 3251320525,
  compactedAtFourThroughFive: 1468967122,
  compactedAtFive: 3964590606,
  compactedAtFiveThroughSix: 664251068,
  withoutKeys: 2743813448,
};

async function hash(play: Play, through = 0): Promise<number | string> {
  const result = await play.store.hashHistory(through);
  return result.kind === "hash" ? result.hash : result.reason;
}

/** Six revisions, of which one deletes, and one has a lease. */
function sixRevisions(play: Play): void {
  play.now(set("a", "1"));
  play.now(set("b", "2"));
  play.now(set("a", "3"));
  play.now(del("b"));
  play.now(grant(-7n, 600n));
  play.now(set("e\0\xff", "", { lease: -7n }));
}

const changeOfThree = txn({ success: [set("c", "x".repeat(300)), del("a", "b"), set("d", "y")] });

for (const isSaved of [false, true]) {
  test(`the hash is that of etcd, ${isSaved ? "from the disk" : "in front of it"}`, async () => {
    const play = new Play(new Disk({ batchRecords: 2, turns: 1 }));
    const save = (): void => {
      if (isSaved) play.save();
    };
    assert.equal(await hash(play), numbers.nothing);
    sixRevisions(play);
    save();
    assert.equal(await hash(play), numbers.whole);
    assert.equal(await hash(play, 3), numbers.atThree);
    await play.do(changeOfThree);
    save();
    assert.equal(await hash(play), numbers.withTxn);
    await play.do(compact(4));
    assert.equal(await hash(play), numbers.compactedAtFour, "before anything is removed");
    await removeAll(play);
    save();
    assert.equal(await hash(play), numbers.compactedAtFour);
    assert.equal(await hash(play, 5), numbers.compactedAtFourThroughFive);
    await play.do(compact(5));
    assert.equal(await hash(play), numbers.compactedAtFive, "before anything is removed");
    assert.equal(await hash(play, 6), numbers.compactedAtFiveThroughSix);
    await removeAll(play);
    assert.equal(await hash(play), numbers.compactedAtFive);
    assert.equal(await hash(play, 6), numbers.compactedAtFiveThroughSix);
  });
}

test("without any key, what is current at the compact revision counts, removed or not", async () => {
  const play = new Play(new Disk(), { cacheBytes: 0, pieceChanges: 1 });
  sixRevisions(play);
  await play.do(changeOfThree);
  await play.do(compact(4));
  await removeAll(play);
  await play.do(compact(5));
  await play.do(del("\0", "\0"));
  assert.equal(await hash(play), numbers.withoutKeys);
  await play.do(removeHistory);
  play.save();
  assert.equal(await hash(play), numbers.withoutKeys);
  await removeAll(play);
  assert.equal(await hash(play), numbers.withoutKeys);
});

test("what was given up, and what is to come, has no hash; the compact revision has one", async () => {
  const play = new Play();
  sixRevisions(play);
  await play.do(compact(4));
  assert.equal(await hash(play, 3), "compacted");
  assert.equal(await hash(play, 7), "futureRevision");
  assert.equal(typeof (await hash(play, 4)), "number");
});

test("a record is what protobuf makes of it", () => {
  const made = { createRevision: 2, modRevision: 2 ** 40, sub: 3, version: 300, lease: -7n } as const;
  const value = "\0\xff".repeat(200);
  const change: Change = { key: "k\xfe", made: { ...made, isDeleted: false, value }, previous: undefined };
  const message = create(KeyValueSchema, {
    key: fromByteString("k\xfe"),
    value: fromByteString(value),
    createRevision: 2n,
    modRevision: 2n ** 40n,
    version: 300n,
    lease: -7n,
  });
  const record = etcdRecord(change);
  assert.deepEqual(record.subarray(0, 17).toString("hex"), "0000010000000000" + "5f" + "0000000000000003");
  assert.deepEqual(record.subarray(17), Buffer.from(toBinary(KeyValueSchema, message)));
});

test("CRC-32C of what is known, in pieces of any size", () => {
  assert.equal(crc32c(Buffer.from("123456789")), 0xe3069283);
  const data = Buffer.from(Array.from({ length: 100 }, (_, at) => (at * 37) % 256));
  for (let cut = 0; cut <= data.length; cut += 7)
    assert.equal(crc32c(data.subarray(cut), crc32c(data.subarray(0, cut))), crc32c(data));
});
