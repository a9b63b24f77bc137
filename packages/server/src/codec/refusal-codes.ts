/** Why a forwarded command is not proposed, as a code on the wire. */
import type { Refusal } from "../transport/peer-transport.ts";
import { DecodeError } from "./decode-error.ts";

export const refusalCodes = {
  notLeader: "not_leader",
  overloaded: "overloaded",
  stopping: "stopping",
  diskFull: "disk_full",
} as const satisfies Record<Refusal["code"], string>;

/** Throws a DecodeError if there is none. */
export function refusalCode(code: string): Refusal["code"] {
  switch (code) {
    case "not_leader":
      return "notLeader";
    case "overloaded":
    case "stopping":
      return code;
    case "disk_full":
      return "diskFull";
    case "":
      throw new DecodeError("a refusal has no code");
    default:
      // Of a later version. What it has in common with all others: the command was not proposed.
      return "overloaded";
  }
}
