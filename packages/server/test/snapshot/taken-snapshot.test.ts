import assert from "node:assert/strict";
import { test } from "node:test";
import { maxChunkBytes } from "@dkv/snapshot";
import { DamagedRecordError, positionKey } from "@dkv/store";
import { DkvError } from "../../src/platform/errors.ts";
import { DamageError } from "../../src/storage/damage.ts";
import { TakenSnapshot } from "../../src/storage/snapshot/taken-snapshot.ts";
import { configuration, newDatabase, options, save, values, wholeOf } from "./fixtures.ts";

test("a snapshot tells which state it is, with the configuration in force there", async (context) => {
  const database = await newDatabase(context);
  await save(database, 7, values(3));
  const asked: number[] = [];
  const snapshot = TakenSnapshot.take(database, {
    ...options,
    configurationAt: (index) => {
      asked.push(index);
      return configuration;
    },
  });
  assert.deepEqual(snapshot.header, {
    snapshotId: options.snapshotId,
    clusterId: options.clusterId,
    last: { index: 7, term: 2 },
    configuration,
    revision: 2,
  });
  assert.deepEqual(asked, [7]);
  await snapshot.close();
});

test("what is written after it was taken is not in it", async (context) => {
  const database = await newDatabase(context);
  await save(database, 40, values(40));
  const snapshot = TakenSnapshot.take(database, options);
  const before = await wholeOf(snapshot);
  const reading = snapshot.chunks(0);
  const first = await reading.next();
  await save(database, 41, { "key 0000": "changed", "key 0001": undefined, "key 9999": "new" });
  await database.settle();
  assert.deepEqual(await wholeOf(snapshot), before);
  assert.deepEqual(first.value, before.chunks[0]);
  for (const chunk of before.chunks.slice(1)) assert.deepEqual((await reading.next()).value, chunk);
  assert.deepEqual((await reading.next()).value, before.trailer);
  await snapshot.close();

  const later = TakenSnapshot.take(database, options);
  assert.equal(later.header.last.index, 41);
  assert.notDeepEqual((await wholeOf(later)).trailer, before.trailer);
  await later.close();
});

test("chunks are the same every time, from any of them on", async (context) => {
  const database = await newDatabase(context);
  await save(database, 30, values(30));
  const snapshot = TakenSnapshot.take(database, options);
  const { chunks, trailer } = await wholeOf(snapshot);
  for (let skip = 0; skip <= chunks.length; skip += 1)
    assert.deepEqual(await wholeOf(snapshot, skip), { chunks: chunks.slice(skip), trailer });
  await snapshot.close();
});

test("nothing but the state machine's records leaves", async (context) => {
  const database = await newDatabase(context);
  await save(database, 1, { a: "1" });
  const batch = database.batch();
  for (const prefix of [0x00, 0x01, 0x02, 0x0f]) batch.put(Uint8Array.of(prefix, 1), Buffer.from("secret"));
  await batch.commit();
  const snapshot = TakenSnapshot.take(database, options);
  const { chunks, trailer } = await wholeOf(snapshot);
  assert.equal(trailer.records, 4);
  assert.ok(!Buffer.concat(chunks).includes("secret"));
  await snapshot.close();
});

test("unless said otherwise a chunk has a quarter of a mebibyte, or one record that is larger", async (context) => {
  const database = await newDatabase(context);
  const large = "x".repeat(2 ** 20);
  await save(database, 1, {
    ...Object.fromEntries(
      ["a", "b", "c", "d", "e", "f", "g", "h"].map((name) => [name, "y".repeat(100_000)]),
    ),
    large,
  });
  const { chunkBytes: _, ...usual } = options;
  const snapshot = TakenSnapshot.take(database, usual);
  const { chunks } = await wholeOf(snapshot);
  const kib = chunks.map(({ length }) => Math.round(length / 1024));
  assert.deepEqual(kib, [195, 195, 195, 195, 1024, 1]);
  assert.ok(chunks.every(({ length }) => length <= maxChunkBytes));
  await snapshot.close();
});

test("an empty state has a snapshot as well", async (context) => {
  const database = await newDatabase(context);
  const snapshot = TakenSnapshot.take(database, options);
  assert.deepEqual(snapshot.header.last, { index: 0, term: 0 });
  assert.deepEqual((await wholeOf(snapshot)).chunks, []);
  await snapshot.close();
});

test("closing ends what was being read, and nothing is held any more", async (context) => {
  const database = await newDatabase(context);
  await save(database, 30, values(30));
  const snapshot = TakenSnapshot.take(database, options);
  const [abandoned, untouched, finished] = [snapshot.chunks(0), snapshot.chunks(0), snapshot.chunks(100)];
  await abandoned.next();
  await finished.next();
  await snapshot.close();
  assert.equal((await abandoned.next()).done, true);
  assert.equal((await untouched.next()).done, true);
  assert.throws(() => snapshot.chunks(0), /the snapshot is closed/);
  await snapshot.close();
});

test("a database that is closed meanwhile fails the snapshot, which may be closed after it", async (context) => {
  const database = await newDatabase(context);
  await save(database, 5000, values(5000));
  const snapshot = TakenSnapshot.take(database, options);
  const reading = snapshot.chunks(0);
  await reading.next();
  await database.close();
  await assert.rejects(
    async () => {
      while ((await reading.next()).done !== true);
    },
    (error) => error instanceof DkvError && error.code === "stopping",
  );
  await assert.rejects(wholeOf(snapshot), DkvError);
  await snapshot.close();
});

test("a position that is damaged is not passed on", async (context) => {
  const database = await newDatabase(context);
  await save(database, 1, { a: "1" });
  const record = Buffer.from(database.get(positionKey) ?? assert.fail());
  record[3] = 1;
  const batch = database.batch();
  batch.put(positionKey, record);
  await batch.commit();
  assert.throws(() => TakenSnapshot.take(database, options), DamagedRecordError);
});

test("a record that is damaged is not passed on, nor what follows it", async (context) => {
  const database = await newDatabase(context);
  await save(database, 30, values(30));
  const batch = database.batch();
  batch.put(Buffer.from("\x20key 0015"), Buffer.from("not what the store has written, and long enough"));
  await batch.commit();
  const snapshot = TakenSnapshot.take(database, options);
  for (const skip of [0, 1000]) await assert.rejects(wholeOf(snapshot, skip), DamageError);
  await snapshot.close();
});
