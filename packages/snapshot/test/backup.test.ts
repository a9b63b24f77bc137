import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { SetCommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import { logIndex, term } from "@dkv/raft";
import { Store } from "@dkv/store";
import { Disk } from "../../store/test/disk.ts";
import { readBackup, type BackupEnd, type BackupPart } from "../src/backup/reader.ts";
import { encodeBackup, type SnapshotSource } from "../src/backup/writer.ts";
import type { StateRecord } from "../src/chunk.ts";
import { chunksOf } from "../src/chunker.ts";
import { DamagedSnapshotError } from "../src/damage.ts";
import { encodeHeader, type SnapshotHeader } from "../src/header.ts";
import { all, each, header as someHeader } from "./fixtures.ts";

const text = new TextEncoder();

/** A state as the store makes it: so many keys. */
function stateOf(count: number): readonly StateRecord[] {
  const store = new Store(new Disk(), { cacheBytes: 0 });
  for (let index = 1; index <= count; index += 1) {
    const [key, value] = [`key ${String(index).padStart(3, "0")}`, "value ".repeat(index % 5)];
    const operation = { key: text.encode(key), value: text.encode(value) };
    const set = { case: "set", value: create(SetCommandSchema, operation) } as const;
    const command = { id: { proposer: 1n, sequence: index }, operation: set };
    store.apply({ index, term: 2 }, command, { isWanted: false });
  }
  const records = store.takeChanges().map(({ key, value }): StateRecord => [key, value ?? assert.fail()]);
  return records.toSorted(([one], [other]) => Buffer.compare(one, other));
}

const count = 12;
const header: SnapshotHeader = {
  ...someHeader,
  last: { index: logIndex(count), term: term(2) },
  revision: count + 1,
};

function sourceOf(records: readonly StateRecord[], of = header): SnapshotSource {
  return {
    header: of,
    chunks: (skip) => chunksOf(each(records), { header: encodeHeader(of), skip, chunkBytes: 150 }),
  };
}

async function fileOf(source: SnapshotSource): Promise<Buffer> {
  return Buffer.concat(await all(encodeBackup(source)));
}

/** The bytes in pieces of one size. */
function inPieces(file: Buffer, bytes: number): AsyncGenerator<Buffer> {
  return each(
    Array.from({ length: Math.ceil(file.length / bytes) }, (_, number) =>
      file.subarray(number * bytes, (number + 1) * bytes),
    ),
  );
}

const read = (file: Buffer): Promise<readonly BackupPart[]> => all(readBackup(inPieces(file, 4096)));

function endOf(parts: readonly BackupPart[]): BackupEnd {
  const end = parts.at(-1);
  assert.ok(end?.kind === "end");
  return end;
}

test("a backup comes back in whatever pieces it is read", async () => {
  const file = await fileOf(sourceOf(stateOf(count)));
  const chunks = await all(sourceOf(stateOf(count)).chunks(0));
  assert.ok(chunks.length > 2);
  for (const size of [1, 2, 7, 64, 1000, file.length]) {
    const [first, ...others] = await all(readBackup(inPieces(file, size)));
    assert.deepEqual(first, { kind: "header", header });
    assert.deepEqual(
      others.slice(0, -1),
      chunks.map((chunk) => ({ kind: "chunk", chunk })),
    );
    const { keys, bytes, sha256, trailer } = endOf(others);
    assert.deepEqual([keys, bytes, trailer.records], [count, file.length, 3 * count + 1]);
    assert.deepEqual(sha256, createHash("sha256").update(file.subarray(0, -32)).digest());
  }
});

test("a backup of an empty store is one as well", async () => {
  const empty = { ...header, last: { index: logIndex(0), term: term(0) }, revision: 1 };
  const parts = await read(await fileOf(sourceOf([], empty)));
  assert.deepEqual(
    parts.map(({ kind }) => kind),
    ["header", "end"],
  );
  assert.equal(endOf(parts).keys, 0);
});

test("a changed byte is noticed, wherever it is", async () => {
  const file = await fileOf(sourceOf(stateOf(count)));
  for (let offset = 0; offset < file.length; offset += 1) {
    const changed = Buffer.from(file);
    changed[offset] = (changed[offset] ?? 0) ^ 0x04;
    await assert.rejects(read(changed), DamagedSnapshotError, `byte ${String(offset)}`);
  }
});

test("a backup that is cut short or followed by something is refused", async () => {
  const file = await fileOf(sourceOf(stateOf(count)));
  for (let length = 0; length < file.length; length += 1)
    await assert.rejects(read(file.subarray(0, length)), /cut short|no backup of dkv/);
  await assert.rejects(read(Buffer.concat([file, Buffer.of(0)])), /something follows the end/);
});

test("what is no backup is told from one of another version", async () => {
  await assert.rejects(read(Buffer.from("SQLite format 3, or so")), /this is no backup of dkv/);
  const file = await fileOf(sourceOf(stateOf(count)));
  for (const format of [1, 3]) {
    file[11] = format;
    const text = `the backup has format ${String(format)}, and this version of dkv reads format 2 only: use the version`;
    await assert.rejects(read(file), new RegExp(text));
  }
});

/** The file with the checksum at its end that belongs to it. */
const resealed = (file: Buffer): Buffer =>
  Buffer.concat([file.subarray(0, -32), createHash("sha256").update(file.subarray(0, -32)).digest()]);

test("a length that was never written makes nobody set memory aside", async () => {
  const file = await fileOf(sourceOf(stateOf(count)));
  file.writeUInt32BE(0xffff_ffff, 13);
  await assert.rejects(read(resealed(file)), /at byte 12 of the backup belongs to none/);
});

test("a record that the store would refuse is refused in a backup", async () => {
  const records = stateOf(count).map(([key, value], position): StateRecord => {
    const changed = Buffer.from(value);
    if (position === 3) changed[10] = (changed[10] ?? 0) ^ 1;
    return [key, changed];
  });
  await assert.rejects(fileOf(sourceOf(records)).then(read), /make one of another member/);
});

test("a state that is not the one in the header is refused", async () => {
  for (const wrong of [
    { ...header, revision: header.revision - 1 },
    { ...header, last: { ...header.last, index: logIndex(count + 1) } },
    { ...header, last: { ...header.last, term: term(1) } },
  ])
    await assert.rejects(
      fileOf(sourceOf(stateOf(count), wrong)).then(read),
      /not the one that its header tells of/,
    );
  const withoutPosition = stateOf(count).slice(1);
  await assert.rejects(fileOf(sourceOf(withoutPosition)).then(read), /not the one that its header tells of/);
});

test("whoever goes away before the end leaves nothing open", async () => {
  let open = 0;
  async function* counted<Item>(items: AsyncIterable<Item>): AsyncGenerator<Item> {
    open += 1;
    try {
      yield* items;
    } finally {
      open -= 1;
    }
  }
  const source: SnapshotSource = {
    header,
    chunks: (skip) =>
      chunksOf(counted(each(stateOf(count))), { header: encodeHeader(header), skip, chunkBytes: 150 }),
  };
  let pieces = 0;
  for await (const _ of encodeBackup(source)) {
    pieces += 1;
    if (pieces === 4) break;
  }
  assert.equal(open, 0);

  const file = await fileOf(sourceOf(stateOf(count)));
  for await (const part of readBackup(counted(inPieces(file, 10)))) if (part.kind === "chunk") break;
  assert.equal(open, 0);
  file[200] = (file[200] ?? 0) ^ 1;
  await assert.rejects(all(readBackup(counted(inPieces(file, 10)))), DamagedSnapshotError);
  assert.equal(open, 0);
});
