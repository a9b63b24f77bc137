import { checkRecord, DamagedRecordError, readPosition, type RecordKind } from "@dkv/store";
import {
  checkTrailer,
  decodeChunk,
  decodeTrailer,
  snapshotStart,
  type SnapshotProgress,
  type SnapshotTrailer,
  type StateRecord,
} from "../chunk.ts";
import { DamagedSnapshotError } from "../damage.ts";
import { checkPosition, decodeHeader, type SnapshotHeader } from "../header.ts";
import { ByteSource } from "./byte-source.ts";
import {
  digestBytes,
  format,
  magic,
  sectionHeaderBytes,
  sectionKinds,
  sectionLimits,
  type SectionKind,
} from "./format.ts";

/** What is in a backup, in this order: a header, any number of chunks, the end. */
export type BackupPart =
  | { readonly kind: "header"; readonly header: SnapshotHeader }
  | { readonly kind: "chunk"; readonly chunk: Buffer }
  /** All of it was there, and nothing was changed. */
  | ({ readonly kind: "end" } & BackupEnd);

export interface BackupEnd {
  readonly trailer: SnapshotTrailer;
  /** Keys that are in it. */
  readonly keys: number;
  /** Of the file. */
  readonly bytes: number;
  /** Of everything before it in the file: names this backup. */
  readonly sha256: Buffer;
}

/**
 * Reads a backup and checks everything that can be checked: what it is made of, the store's records, and the
 * whole. Throws {@link DamagedSnapshotError}. Nothing is certain before the end.
 */
export async function* readBackup(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<BackupPart> {
  const source = new ByteSource(pieces);
  try {
    await readBeginning(source);
    const headerBytes = await readSection(source, "header");
    const header = decodeHeader(headerBytes.content);
    yield { kind: "header", header };
    const tally = new RecordTally(header);
    let progress = snapshotStart(headerBytes.content);
    for (;;) {
      const { kind, content } = await readSection(source, "chunk", "trailer");
      if (kind === "trailer") {
        yield { kind: "end", ...(await readEnd(source, content, { progress, tally })) };
        return;
      }
      const decoded = decodeChunk(content, progress);
      tally.count(decoded.records);
      progress = decoded.progress;
      yield { kind: "chunk", chunk: content };
    }
  } finally {
    await source.close();
  }
}

async function readBeginning(source: ByteSource): Promise<void> {
  const beginning = await source.read(magic.length).catch((error: unknown) => {
    throw error instanceof DamagedSnapshotError ? noBackup() : error;
  });
  if (!beginning.equals(magic)) throw noBackup();
  const [found] = await source.read(1);
  if (found === format) return;
  throw new DamagedSnapshotError(
    `the backup has format ${String(found)}, and this version of dkv reads format ${String(format)} only: use the ` +
      "version of dkv that made it",
  );
}

const noBackup = (): DamagedSnapshotError => new DamagedSnapshotError("this is no backup of dkv");

interface Section {
  readonly kind: SectionKind;
  readonly content: Buffer;
}

async function readSection(source: ByteSource, ...expected: readonly SectionKind[]): Promise<Section> {
  const start = source.bytes;
  const sectionHeader = await source.read(sectionHeaderBytes);
  const kind = sectionKinds[sectionHeader.readUInt8(0)];
  const length = sectionHeader.readUInt32BE(1);
  if (kind === undefined || !expected.includes(kind) || length > sectionLimits[kind])
    throw new DamagedSnapshotError(`what stands at byte ${String(start)} of the backup belongs to none`);
  return { kind, content: await source.read(length) };
}

async function readEnd(
  source: ByteSource,
  content: Buffer,
  { progress, tally }: { readonly progress: SnapshotProgress; readonly tally: RecordTally },
): Promise<BackupEnd> {
  const trailer = decodeTrailer(content);
  checkTrailer(trailer, progress);
  tally.finish();
  const sha256 = source.digest();
  if (!sha256.equals(await source.read(digestBytes)))
    throw new DamagedSnapshotError("the checksum of the backup is wrong: it was changed");
  if (!(await source.isAtEnd())) throw new DamagedSnapshotError("something follows the end of the backup");
  return { trailer, keys: tally.keys, bytes: source.bytes, sha256 };
}

function kindOf(key: Uint8Array, record: Uint8Array): RecordKind {
  try {
    return checkRecord(key, record);
  } catch (error) {
    if (!(error instanceof DamagedRecordError)) throw error;
    throw new DamagedSnapshotError(
      `${error.message}; the member that the backup was made of had it so: make one of another member`,
      { cause: error },
    );
  }
}

/** Looks at every record, and holds the store's position against the header. */
class RecordTally {
  readonly #header: SnapshotHeader;
  /** The record that says where the store stands. */
  #position: Uint8Array | undefined;
  keys = 0;

  constructor(header: SnapshotHeader) {
    this.#header = header;
  }

  count(records: readonly StateRecord[]): void {
    for (const [key, value] of records) {
      const kind = kindOf(key, value);
      if (kind === "position") this.#position = value;
      if (kind === "current") this.keys += 1;
    }
  }

  finish(): void {
    checkPosition(this.#header, readPosition({ get: () => this.#position }));
  }
}
