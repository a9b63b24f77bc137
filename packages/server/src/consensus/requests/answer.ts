import { type Checks, maxCheckTimeoutMs } from "../check/checks.ts";
import type { Leases } from "../leases/leases.ts";
import type { Membership } from "../membership/membership.ts";
import { decodeRequest, encodeResponse, type MemberRequest, type MemberResponse } from "./request-bodies.ts";

/** Those who know. */
export interface Answerers {
  readonly checks: Pick<Checks, "respond">;
  readonly leases: Pick<Leases, "answer">;
  readonly membership: Pick<Membership, "answer">;
}

/** Answers what another member asks. Both are bodies as they travel. */
export async function answerRequest(body: Uint8Array, answerers: Answerers): Promise<Uint8Array> {
  return encodeResponse(await responseTo(decodeRequest(body), answerers));
}

function responseTo(
  request: MemberRequest | undefined,
  { checks, leases, membership }: Answerers,
): Promise<MemberResponse> {
  switch (request?.kind) {
    case "stateHash":
      return checks.respond(request.index, Math.min(request.timeoutMs, maxCheckTimeoutMs));
    case "keepLeasesAlive":
    case "leaseTimes":
      return leases.answer(request);
    default:
      return membership.answer(request);
  }
}
