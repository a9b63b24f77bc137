import { create, toBinary } from "@bufbuild/protobuf";
import { ResponseHeaderSchema } from "@dkv/protocol/dkv/v1/dkv";
import type { MemberStatus } from "../../../consensus/member.ts";
import type { AnswerHeader } from "../answers.ts";
import type { BackwardWriter } from "./backward-writer.ts";

/** The fields of the header that rarely change, encoded, and what they were encoded from. */
export class HeaderBytes {
  #start: Uint8Array = new Uint8Array(0);
  #source: MemberStatus | undefined;

  /** All fields before the applied index. */
  startOf(status: MemberStatus): Uint8Array {
    if (this.#source === undefined || !hasSameStart(this.#source, status)) {
      this.#start = encodeStart(status);
      this.#source = status;
    }
    return this.#start;
  }

  write(writer: BackwardWriter, field: number, { status, revision }: AnswerHeader): void {
    const { length } = writer;
    writer.count(6, revision);
    writer.count(5, status.appliedIndex);
    writer.raw(this.startOf(status));
    writer.message(field, length);
  }
}

function hasSameStart(a: MemberStatus, b: MemberStatus): boolean {
  return (
    a.term === b.term && a.leader === b.leader && a.memberId === b.memberId && a.clusterId === b.clusterId
  );
}

function encodeStart({ clusterId, memberId, leader, term }: MemberStatus): Uint8Array {
  return toBinary(
    ResponseHeaderSchema,
    create(ResponseHeaderSchema, { clusterId, memberId, leader, term: BigInt(term) }),
  );
}
