export { readBackup } from "./backup/reader.ts";
export type { BackupEnd, BackupPart } from "./backup/reader.ts";
export { encodeBackup } from "./backup/writer.ts";
export type { SnapshotSource } from "./backup/writer.ts";
export {
  checkTrailer,
  chunkContent,
  decodeChunk,
  decodeTrailer,
  encodeChunk,
  encodeTrailer,
  maxChunkBytes,
  noTrailer,
  snapshotStart,
} from "./chunk.ts";
export type { SnapshotProgress, SnapshotTrailer, StateRecord } from "./chunk.ts";
export { chunksOf, trailerOf } from "./chunker.ts";
export type { ChunkOptions } from "./chunker.ts";
export { DamagedSnapshotError } from "./damage.ts";
export { checkPosition, decodeHeader, encodeHeader } from "./header.ts";
export type { SnapshotHeader } from "./header.ts";
