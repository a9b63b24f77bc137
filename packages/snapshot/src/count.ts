import { readCount as readAnyCount } from "@dkv/store";
import { DamagedSnapshotError } from "./damage.ts";

/** Throws a DamagedSnapshotError. */
export const readCount = (bytes: Buffer, offset: number): number =>
  readAnyCount(bytes, offset, DamagedSnapshotError);
