/** Snapshots as the tests make them: from records in memory. */
import { logIndex, nodeId, term } from "@dkv/raft";
import fc from "fast-check";
import type { SnapshotTrailer, StateRecord } from "../src/chunk.ts";
import { chunksOf, type ChunkOptions } from "../src/chunker.ts";
import { encodeHeader, type SnapshotHeader } from "../src/header.ts";

export const header: SnapshotHeader = {
  snapshotId: 0x5a5an,
  clusterId: 0xc1n,
  last: { index: logIndex(2 ** 40 + 7), term: term(3) },
  configuration: {
    voters: [nodeId(1n), nodeId(0xffff_ffff_ffff_ffffn)],
    outgoing: [],
    learners: [nodeId(3n)],
    context: Uint8Array.of(1, 2, 3),
  },
  revision: 2 ** 41,
};

export const headerBytes = encodeHeader(header);

export const record = (name: string, value: string): StateRecord => [
  Buffer.from(`\x20${name}`, "latin1"),
  Buffer.from(value),
];

/** Records in the order of their keys. */
export const anyRecords: fc.Arbitrary<readonly StateRecord[]> = fc
  .uniqueArray(fc.tuple(fc.uint8Array({ minLength: 0, maxLength: 6 }), fc.uint8Array({ maxLength: 40 })), {
    selector: ([name]) => Buffer.from(name).toString("latin1"),
    maxLength: 30,
  })
  .map((pairs) =>
    pairs
      .map(([name, value]): StateRecord => [Buffer.from([0x20, ...name]), Buffer.from(value)])
      .toSorted(([one], [other]) => Buffer.compare(one, other)),
  );

export async function* each<Value>(values: readonly Value[]): AsyncGenerator<Value> {
  for (const value of values) yield await Promise.resolve(value);
}

export async function all<Value>(values: AsyncIterable<Value>): Promise<readonly Value[]> {
  const found: Value[] = [];
  for await (const value of values) found.push(value);
  return found;
}

/** All that a snapshot is made of, taken at once. */
export async function chunked(
  records: readonly StateRecord[],
  options: Partial<ChunkOptions> = {},
): Promise<{ readonly chunks: readonly Buffer[]; readonly trailer: SnapshotTrailer }> {
  const generator = chunksOf(each(records), { header: headerBytes, ...options });
  const chunks: Buffer[] = [];
  for (;;) {
    const next = await generator.next();
    if (next.done === true) return { chunks, trailer: next.value };
    chunks.push(next.value);
  }
}
