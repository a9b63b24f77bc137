import type { Revision } from "@dkv/store";
import type { MemberStatus } from "../../../consensus/member.ts";
import { BackwardWriter } from "../../dkv-v1/encoding/backward-writer.ts";

/** Where and when an answer was given. */
export interface AnswerHeader {
  readonly status: MemberStatus;
  readonly revision: Revision;
}

/** What hardly ever changes of the header, encoded, and what it was encoded from. */
export class HeaderBytes {
  #ids: Uint8Array = new Uint8Array(0);
  #source: MemberStatus | undefined;

  /** As a field of the message. */
  write(writer: BackwardWriter, field: number, { status, revision }: AnswerHeader): void {
    const { length } = writer;
    writer.count(4, status.term);
    writer.count(3, revision);
    writer.raw(this.#idsOf(status));
    writer.message(field, length);
  }

  #idsOf(status: MemberStatus): Uint8Array {
    const { clusterId, memberId } = status;
    if (this.#source?.clusterId !== clusterId || this.#source.memberId !== memberId) {
      const writer = new BackwardWriter(32);
      writer.lease(2, memberId);
      writer.lease(1, clusterId);
      this.#ids = writer.finish();
      this.#source = status;
    }
    return this.#ids;
  }
}

/** The header of an answer within a transaction: nothing but a revision. */
export function writeRevision(writer: BackwardWriter, field: number, revision: Revision): void {
  const { length } = writer;
  writer.count(3, revision);
  writer.message(field, length);
}
