/**
 * Lost data: a voter whose disk is lost may have voted, and acknowledged, what it knows nothing of. Nobody
 * gives it entries, and nobody asks for its vote, under the name that it had. It would do harm only if the
 * rest of a majority failed as well; this looks at what it stores.
 */
import type { LogBatch } from "@dkv/server/storage/storage";
import { SafetyViolation } from "./truth.ts";

/** @param batch what such a member has stored since */
export function checkLostData({ entries, hardState }: LogBatch): void {
  if (entries.length > 0) throw new SafetyViolation("a voter that has lost its data was given entries");
  if (hardState?.votedFor !== undefined)
    throw new SafetyViolation("a voter that has lost its data has voted");
}
