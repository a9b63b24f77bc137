/** Snapshots for clients of etcd: files that etcd can read, and begin from. */
import { createHash } from "node:crypto";
import { Maintenance, SnapshotResponseSchema } from "@dkv/protocol/etcdserverpb/rpc";
import { decodeChunk, encodeHeader, snapshotStart } from "@dkv/snapshot";
import { etcdEntriesOf, type EtcdEntry } from "@dkv/store";
import type { Member } from "../../../consensus/member.ts";
import { DkvError } from "../../../platform/errors.ts";
import type { Running } from "../../running.ts";
import { frameOf } from "../method.ts";
import { bboltFile } from "./file.ts";

/** Those that etcd expects to find. Who belongs to a cluster is told when it is restored. */
const tables = [
  "alarm",
  "auth",
  "authRoles",
  "authUsers",
  "cluster",
  "key",
  "lease",
  "members",
  "members_removed",
  "meta",
] as const;

/** Each keeps a chunk in memory, and on disk what it was taken of. */
const maxSnapshots = 4;

const blobBytes = 32 * 1024;

type TakenSnapshot = Awaited<ReturnType<Member["takeSnapshot"]>>;

export const snapshotPath = `/${Maintenance.typeName}/${Maintenance.method.snapshot.name}`;

export class SnapshotStreams {
  readonly #member: Pick<Member, "takeSnapshot">;
  readonly #version: string;
  readonly #running: Running;

  /**
   * @param version of etcd whose format it is
   * @param running those of all users
   */
  constructor(member: Pick<Member, "takeSnapshot">, version: string, running: Running = { count: 0 }) {
    this.#member = member;
    this.#version = version;
    this.#running = running;
  }

  /** Answers with gRPC frames: the file, then its SHA-256. Throws a DkvError. */
  async *stream(): AsyncGenerator<Buffer> {
    if (this.#running.count >= maxSnapshots)
      throw new DkvError("overloaded", "enough snapshots are being made of this member: wait for one to end");
    this.#running.count += 1;
    try {
      const snapshot = await this.#member.takeSnapshot();
      try {
        yield* this.#frames(snapshot);
      } finally {
        await snapshot.close();
      }
    } finally {
      this.#running.count -= 1;
    }
  }

  async *#frames(snapshot: TakenSnapshot): AsyncGenerator<Buffer> {
    const version = this.#version;
    const file = await bboltFile(tables, () => entriesOf(snapshot));
    const digest = createHash("sha256");
    let remaining = file.bytes;
    for await (const piece of file.pieces()) {
      for (let at = 0; at < piece.length; at += blobBytes) {
        const blob = Uint8Array.from(piece.subarray(at, at + blobBytes));
        digest.update(blob);
        remaining -= blob.length;
        yield frameOf(SnapshotResponseSchema, { remainingBytes: BigInt(remaining), blob, version });
      }
    }
    yield frameOf(SnapshotResponseSchema, { blob: Uint8Array.from(digest.digest()), version });
  }
}

/** The same each time. */
async function* entriesOf(snapshot: TakenSnapshot): AsyncGenerator<readonly EtcdEntry[]> {
  const { header } = snapshot;
  const meta: EtcdEntry[] = [
    number64("consistent_index", header.last.index),
    number64("term", header.last.term),
  ];
  let progress = snapshotStart(encodeHeader(header));
  for await (const chunk of snapshot.chunks(0)) {
    const decoded = decodeChunk(chunk, progress);
    progress = decoded.progress;
    const entries = decoded.records.flatMap(etcdEntriesOf);
    meta.push(...entries.filter(({ table }) => table === "meta"));
    yield entries.filter(({ table }) => table !== "meta");
  }
  yield meta.toSorted((a, b) => Buffer.compare(a.key, b.key));
}

function number64(name: string, number: number): EtcdEntry {
  const value = Buffer.alloc(8);
  value.writeBigUInt64BE(BigInt(number));
  return { table: "meta", key: Buffer.from(name), value };
}
