/** From records to chunks, one chunk in memory at a time. */
import {
  encodeChunk,
  recordBytes,
  snapshotStart,
  type SnapshotProgress,
  type SnapshotTrailer,
  type StateRecord,
} from "./chunk.ts";

/** Of a chunk's records. Large enough for a disk and a connection, small beside everything else in memory. */
const defaultChunkBytes = 256 * 1024;

export interface ChunkOptions {
  /** Bytes of the header: the chain begins with them. */
  readonly header: Uint8Array;
  /** So many chunks from the start are computed and not given out; 0 unless said otherwise. */
  readonly skip?: number;
  /** A chunk ends before the record that would take it above this; 256 KiB unless said otherwise. */
  readonly chunkBytes?: number;
}

/** The same records give the same chunks. Closes `records` also when the caller goes away in between. */
export async function* chunksOf(
  records: AsyncIterable<StateRecord>,
  { header, skip = 0, chunkBytes = defaultChunkBytes }: ChunkOptions,
): AsyncGenerator<Buffer, SnapshotTrailer> {
  let progress = snapshotStart(header);
  for await (const group of groupsOf(records, chunkBytes)) {
    const encoded = encodeChunk(group, progress);
    progress = encoded.progress;
    if (progress.chunks > skip) yield encoded.chunk;
  }
  return trailerOf(progress);
}

/** Records of up to so many bytes together, or a single larger one. */
async function* groupsOf(
  records: AsyncIterable<StateRecord>,
  maxBytes: number,
): AsyncGenerator<readonly StateRecord[]> {
  let group: StateRecord[] = [];
  let bytes = 0;
  for await (const record of records) {
    const more = recordBytes(record);
    if (group.length > 0 && bytes + more > maxBytes) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(record);
    bytes += more;
  }
  if (group.length > 0) yield group;
}

/** The trailer of what ends here. */
export const trailerOf = ({ chunks, records, chain }: SnapshotProgress): SnapshotTrailer => ({
  chunks,
  records,
  chain,
});
