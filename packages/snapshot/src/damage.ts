/** Something of a snapshot is missing, stands in the wrong place or is not what was written. */
export class DamagedSnapshotError extends Error {
  override readonly name = "DamagedSnapshotError";
}
