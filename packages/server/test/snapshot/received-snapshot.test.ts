/** Receiving a snapshot: what arrives is all there, or it is not believed. */
import assert from "node:assert/strict";
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { logIndex } from "@dkv/raft";
import { chunksOf, DamagedSnapshotError, encodeHeader, type SnapshotTrailer } from "@dkv/snapshot";
import { positionKey, readPosition } from "@dkv/store";
import { ReceivedSnapshot } from "../../src/storage/snapshot/received-snapshot.ts";
import { incomingKey, stateKeys } from "../../src/storage/state/keyspace.ts";
import { Database, OpenError } from "../../src/storage/state/leveldb.ts";
import { contentOf, someSnapshot, temporaryDirectory, type SentSnapshot } from "./fixtures.ts";

/** A directory for what arrives; whatever is open there is closed when the test is over. */
async function receiver(context: TestContext): Promise<{
  readonly directory: string;
  readonly open: (header: ReceivedSnapshot["header"], at?: string) => Promise<ReceivedSnapshot>;
}> {
  const directory = join(await temporaryDirectory(context), "db");
  const open = async (header: ReceivedSnapshot["header"], at = directory): Promise<ReceivedSnapshot> => {
    const received = await ReceivedSnapshot.open(at, header);
    context.after(() => received.close());
    return received;
  };
  return { directory, open };
}

async function receiveAll(
  received: ReceivedSnapshot,
  { chunks, trailer }: { chunks: readonly Buffer[]; trailer: SnapshotTrailer },
): Promise<void> {
  for (const chunk of chunks.slice(received.received)) await received.write(chunk);
  await received.finish(trailer);
}

test("what was sent is there, and is taken over as a database", async (context) => {
  const { source, header, ...sent } = await someSnapshot(context);
  const { open } = await receiver(context);
  const received = await open(header);
  assert.equal(received.isComplete, false);
  assert.throws(() => received.takeOver(), /only a complete snapshot/);
  await receiveAll(received, sent);
  assert.equal(received.isComplete, true);
  const database = received.takeOver();
  await received.close();
  assert.deepEqual(await contentOf(database), await contentOf(source));
  assert.equal(readPosition(database).appliedIndex, header.last.index);
  assert.notEqual(database.get(incomingKey), undefined);
  assert.throws(() => received.takeOver(), /only a complete snapshot/);
  await database.close();
});

test("an empty state arrives as well", async (context) => {
  const { header, ...sent } = await someSnapshot(context, { count: 0 });
  const { open } = await receiver(context);
  await receiveAll(await open(header), sent);
});

test("after a crash at any chunk it goes on with the next one", async (context) => {
  const { source, header, chunks, trailer } = await someSnapshot(context);
  const { directory, open } = await receiver(context);
  const running = await open(header);
  for (let count = 0; count <= chunks.length; count += 1) {
    // Copied while it is open: what a crash leaves.
    const at = `${directory}-${String(count)}`;
    await cp(directory, at, { recursive: true });
    const after = await open(header, at);
    assert.equal(after.received, count);
    await receiveAll(after, { chunks, trailer });
    const database = after.takeOver();
    assert.deepEqual(await contentOf(database), await contentOf(source));
    await database.close();
    const next = chunks[count];
    if (next !== undefined) await running.write(next);
  }
});

test("a complete snapshot is in tables, and none of it in a log whose damage LevelDB would pass over", async (context) => {
  const { header, ...sent } = await someSnapshot(context);
  const { directory, open } = await receiver(context);
  const received = await open(header);
  await receiveAll(received, sent);
  const files = await readdir(directory);
  const withKey = async (suffix: string): Promise<number> => {
    const contents = files
      .filter((name) => name.endsWith(suffix))
      .map((name) => readFile(join(directory, name)));
    return (await Promise.all(contents)).filter((content) => content.includes("key 00")).length;
  };
  assert.equal(await withKey(".ldb"), 1);
  assert.equal(await withKey(".log"), 0);
});

test("another snapshot begins anew, and nothing of the one before is left", async (context) => {
  const first = await someSnapshot(context, { count: 60 });
  const { open } = await receiver(context);
  for (const changed of [{ snapshotId: 0x52n }, { clusterId: 0xc2n }]) {
    const begun = await open(first.header);
    for (const chunk of first.chunks.slice(begun.received, -1)) await begun.write(chunk);
    await begun.close();
    const second = await someSnapshot(context, changed);
    const received = await open(second.header);
    assert.equal(received.received, 0);
    await receiveAll(received, second);
    const database = received.takeOver();
    assert.deepEqual(await contentOf(database), await contentOf(second.source));
    await database.close();
  }
});

test("a chunk that is not the next one is refused, and the right one is taken after it", async (context) => {
  const { source, header, chunks, trailer } = await someSnapshot(context);
  const { open } = await receiver(context);
  const received = await open(header);
  for (const [position, chunk] of chunks.entries()) {
    const changed = Buffer.from(chunk);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    const others = [changed, chunk.subarray(1), ...chunks.filter((other) => other !== chunk)];
    for (const wrong of others) await assert.rejects(received.write(wrong), DamagedSnapshotError);
    await assert.rejects(received.finish(trailer), DamagedSnapshotError);
    assert.equal(received.received, position);
    await received.write(chunk);
  }
  for (const wrong of [
    { ...trailer, chunks: trailer.chunks + 1 },
    { ...trailer, records: trailer.records - 1 },
    { ...trailer, chain: trailer.chain ^ 1 },
  ])
    await assert.rejects(received.finish(wrong), DamagedSnapshotError);
  await received.finish(trailer);
  await received.finish(trailer);
  assert.deepEqual(await contentOf(received.takeOver()), await contentOf(source));
});

/** Changes what is stored of a snapshot behind its back, as LevelDB does when it loses something. */
async function tamper(
  directory: string,
  change: (batch: ReturnType<Database["batch"]>) => void,
): Promise<void> {
  const database = await Database.open(directory, "existing");
  const batch = database.batch();
  change(batch);
  await batch.commit();
  await database.close();
}

test("what the disk lost or changed is noticed at the end, and everything is received anew", async (context) => {
  const { source, header, chunks, trailer } = await someSnapshot(context);
  const { directory, open } = await receiver(context);
  const key = Buffer.from("\x20key 0009");
  const changes: readonly ((batch: ReturnType<Database["batch"]>) => void)[] = [
    (batch) => batch.delete(key),
    (batch) => batch.put(key, Buffer.from("changed")),
    (batch) => batch.put(Buffer.from("\x20key 0009a"), Buffer.from("nobody sent it")),
    (batch) => batch.delete(positionKey),
  ];
  for (const change of changes) {
    const received = await open(header);
    assert.equal(received.received, 0);
    for (const chunk of chunks) await received.write(chunk);
    await received.close();
    await tamper(directory, change);
    const again = await open(header);
    assert.equal(again.received, chunks.length);
    await assert.rejects(again.finish(trailer), DamagedSnapshotError);
    assert.equal(again.isComplete, false);
    await assert.rejects(again.finish(trailer), /has to be received anew/);
    await again.close();
  }
  const received = await open(header);
  await receiveAll(received, { chunks, trailer });
  assert.deepEqual(await contentOf(received.takeOver()), await contentOf(source));
});

/** The same records under a header that tells of another state. */
async function underHeader({ source, header }: SentSnapshot): Promise<SentSnapshot> {
  const generator = chunksOf(source.records(stateKeys), { header: encodeHeader(header) });
  const chunks: Buffer[] = [];
  for (;;) {
    const next = await generator.next();
    if (next.done === true) return { source, header, chunks, trailer: next.value };
    chunks.push(next.value);
  }
}

test("a state that is not the one in the header is refused", async (context) => {
  const sent = await someSnapshot(context);
  const { header } = sent;
  const { open } = await receiver(context);
  for (const other of [
    { ...header, last: { ...header.last, index: logIndex(header.last.index + 1) } },
    { ...header, revision: header.revision + 1 },
  ]) {
    const received = await open(other);
    const wrong = await underHeader({ ...sent, header: other });
    await assert.rejects(receiveAll(received, wrong), /not the one that its header tells of/);
    await received.close();
  }
});

test("a record that its sender had damaged already is not stored", async (context) => {
  const sent = await someSnapshot(context);
  const batch = sent.source.batch();
  batch.put(Buffer.from("\x20key 0000"), Buffer.from("not what the store has written, and long enough"));
  await batch.commit();
  const damaged = await underHeader(sent);
  const { open } = await receiver(context);
  const received = await open(sent.header);
  await assert.rejects(receiveAll(received, damaged), (error) => {
    assert.ok(error instanceof DamagedSnapshotError);
    assert.match(error.message, /the member that sends a snapshot has it damaged/);
    return true;
  });
  assert.equal(received.received, 0);
  await receiveAll(received, sent);
});

test("what was left in the directory and makes no sense is deleted", async (context) => {
  const { header, ...sent } = await someSnapshot(context);
  const { directory, open } = await receiver(context);
  const damages: readonly (() => Promise<void>)[] = [
    async () => {
      await mkdir(directory);
      await writeFile(join(directory, "CURRENT"), "nothing that LevelDB knows");
    },
    () => tamper(directory, (batch) => batch.put(incomingKey, Buffer.from("damaged"))),
    () => tamper(directory, (batch) => batch.delete(incomingKey)),
  ];
  for (const damage of damages) {
    await damage();
    const received = await open(header);
    assert.equal(received.received, 0);
    await receiveAll(received, sent);
    await received.close();
  }
});

test("what another process has open is not deleted", async (context) => {
  const { header, chunks } = await someSnapshot(context);
  const { directory, open } = await receiver(context);
  const received = await open(header);
  await received.write(chunks[0] ?? assert.fail());
  await assert.rejects(ReceivedSnapshot.open(directory, header), (error) => {
    assert.ok(error instanceof OpenError);
    assert.equal(error.failure, "locked");
    return true;
  });
  await received.write(chunks[1] ?? assert.fail());
  await received.close();
  assert.equal((await open(header)).received, 2);
});

test("closing waits for what is being written, and nothing is taken after it", async (context) => {
  const { header, chunks, trailer } = await someSnapshot(context);
  const { open } = await receiver(context);
  const received = await open(header);
  const [first = assert.fail(), second = assert.fail()] = chunks;
  const writing = received.write(first);
  await assert.rejects(received.write(second), /one chunk is written at a time/);
  await received.close();
  await writing;
  await assert.rejects(received.write(second), /it was closed/);
  assert.equal((await open(header)).received, 1);

  const other = await receiver(context);
  const whole = await other.open(header);
  for (const chunk of chunks) await whole.write(chunk);
  const checking = whole.finish(trailer);
  const closing = whole.close();
  await assert.rejects(checking, /closed while it was checked/);
  await closing;
  assert.equal(whole.isComplete, false);
  const again = await other.open(header);
  await again.finish(trailer);
  assert.equal(again.isComplete, true);
});
