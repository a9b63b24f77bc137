/**
 * The hash of a member's state: the same on all members that have applied the same entries, whatever they
 * have kept in memory, and however they have cut what they applied into batches.
 *
 *   SHA-256 of all records of the state machine, in the order of their keys, each as
 *     0  bytes of the key      4  bytes of the value      8  key      …  value
 *
 * Both lengths are 32 bits, big-endian. The records are those of packages/store/src/keyspace.ts, all of their
 * bytes: checksums as well, and the position, which is the check's own entry and so the same everywhere. A
 * change of these bytes needs a new command for checks: members of two versions would accuse each other.
 */
import { createHash } from "node:crypto";
import { chunkContent } from "@dkv/snapshot";
import type { Clock } from "../../platform/clock.ts";
import type { StateSnapshot } from "../../storage/storage.ts";

/** Hashed at a time: a millisecond's work. What has arrived meanwhile goes first. */
const sliceBytes = 256 * 1024;

export interface HashingDeps {
  readonly clock: Pick<Clock, "soon">;
  /** Aborted when nobody wants the hash any more. */
  readonly signal: AbortSignal;
}

/** Undefined if it was not wanted any more. Rejects if the state cannot be read. */
export async function hashState(
  snapshot: Pick<StateSnapshot, "chunks">,
  { clock, signal }: HashingDeps,
): Promise<Buffer | undefined> {
  const hash = createHash("sha256");
  for await (const chunk of snapshot.chunks(0)) {
    const content = chunkContent(chunk);
    for (let from = 0; from < content.length; from += sliceBytes) {
      if (signal.aborted) return undefined;
      hash.update(content.subarray(from, from + sliceBytes));
      await new Promise<void>((resolve) => {
        clock.soon(resolve);
      });
    }
  }
  return hash.digest();
}
