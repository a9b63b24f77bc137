import { readCount as readAnyCount } from "@dkv/store";
import { DamageError } from "./damage.ts";

/** Throws a {@link DamageError}. */
export const readCount = (bytes: Buffer, offset: number): number => readAnyCount(bytes, offset, DamageError);
