/** What is said of a backup. */
import { fromBinary } from "@bufbuild/protobuf";
import { type Membership, MembershipSchema } from "@dkv/protocol/dkv/peer/v1/peer";
import { type BackupEnd, type BackupPart, DamagedSnapshotError, type SnapshotHeader } from "@dkv/snapshot";

export interface BackupSummary extends BackupEnd {
  readonly header: SnapshotHeader;
  /** Of the cluster as it was then. */
  readonly members: readonly BackupMember[];
}

export interface BackupMember {
  readonly id: bigint;
  readonly name: string;
  readonly peerAddress: string;
  readonly role: "voter" | "learner";
}

/** Reads the parts to the end, which is where it is certain that they are right. */
export async function summarize(parts: AsyncIterable<BackupPart>): Promise<BackupSummary> {
  let header: SnapshotHeader | undefined;
  for await (const part of parts) {
    if (part.kind === "header") header = part.header;
    if (part.kind === "end" && header !== undefined) {
      const { trailer, keys, bytes, sha256 } = part;
      return { header, members: membersIn(header), trailer, keys, bytes, sha256 };
    }
  }
  throw new DamagedSnapshotError("the backup has no end");
}

/** Rows of the membership table that are in no group are those of members that were removed. */
function membersIn({ configuration }: SnapshotHeader): readonly BackupMember[] {
  const voters = new Set<bigint>([...configuration.voters, ...configuration.outgoing]);
  const learners = new Set<bigint>(configuration.learners);
  const members: BackupMember[] = [];
  for (const { id, name, peerAddress } of rowsIn(configuration.context)) {
    if (voters.has(id)) members.push({ id, name, peerAddress, role: "voter" });
    else if (learners.has(id)) members.push({ id, name, peerAddress, role: "learner" });
  }
  return members;
}

function rowsIn(context: Uint8Array): Membership["members"] {
  try {
    return fromBinary(MembershipSchema, context).members;
  } catch (error) {
    throw new DamagedSnapshotError("its list of members makes no sense", { cause: error });
  }
}
