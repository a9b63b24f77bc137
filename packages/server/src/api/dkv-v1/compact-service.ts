import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { CompactCommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import type { CompactRequest } from "@dkv/protocol/dkv/v1/dkv";
import type { Member } from "../../consensus/member.ts";
import { DkvError } from "../../platform/errors.ts";
import { type BareAnswer, headerOf, type Timeout } from "./answers.ts";
import { revisionOf } from "./numbers.ts";

/** Gives up history. Rejects with a DkvError. */
export async function compact(
  member: Member,
  { revision, wait }: CompactRequest,
  timeoutMs: Timeout,
): Promise<BareAnswer> {
  if (revision === 0n)
    throw new DkvError("invalidRequest", "revision is 0: name the oldest one that is to be readable");
  const command = create(CompactCommandSchema, { revision: BigInt(revisionOf(revision)) });
  const result = await member.propose({ case: "compact", value: command }, timeoutMs);
  assert(result.kind === "compaction", "a compaction answers a compaction");
  if (wait) await member.historyRemoved(timeoutMs);
  return { header: headerOf(member) };
}
