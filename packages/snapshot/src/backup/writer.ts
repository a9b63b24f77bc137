import { createHash } from "node:crypto";
import { encodeTrailer, noTrailer, type SnapshotTrailer } from "../chunk.ts";
import { encodeHeader, type SnapshotHeader } from "../header.ts";
import { format, magic, sectionCodes, sectionHeaderBytes, type SectionKind } from "./format.ts";

/** What a backup is made of. */
export interface SnapshotSource {
  readonly header: SnapshotHeader;
  /** Encoded chunks after the first `skip`, then the trailer. */
  chunks(skip: number): AsyncGenerator<Buffer, SnapshotTrailer>;
}

/**
 * The bytes of the file, in pieces of about a chunk. The snapshot is read no faster than they are taken; its
 * reader is closed in the end, also when the caller goes away before.
 */
export async function* encodeBackup(snapshot: SnapshotSource): AsyncGenerator<Buffer> {
  const hash = createHash("sha256");
  const hashed = (bytes: Buffer): Buffer => {
    hash.update(bytes);
    return bytes;
  };
  yield hashed(Buffer.concat([magic, Buffer.of(format)]));
  yield hashed(section("header", encodeHeader(snapshot.header)));
  const chunks = snapshot.chunks(0);
  try {
    let next = await chunks.next();
    for (; next.done !== true; next = await chunks.next()) yield hashed(section("chunk", next.value));
    yield hashed(section("trailer", encodeTrailer(next.value)));
  } finally {
    await chunks.return(noTrailer);
  }
  yield hash.digest();
}

function section(kind: SectionKind, content: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(sectionHeaderBytes + content.length);
  bytes.writeUInt8(sectionCodes[kind], 0);
  bytes.writeUInt32BE(content.length, 1);
  bytes.set(content, sectionHeaderBytes);
  return bytes;
}
