/**
 * Whether anybody leads, as this member knows. Clients of old do not wait: while nobody leads they are told
 * so within a second.
 */
import type { Member, MemberStatus } from "../../consensus/member.ts";
import type { Clock } from "../../platform/clock.ts";

/** `awaited`: an election may be under way. `missing`: nobody has led for too long to wait any more. */
export type Leadership = "known" | "awaited" | "missing";

/** With the time between two looks it makes less than a second. */
const leaderPatienceMs = 700;

export class LeaderWatch {
  readonly #member: Pick<Member, "status">;
  readonly #clock: Pick<Clock, "nowMs">;
  /** When it was first noticed that nobody leads; undefined while somebody does. */
  #lostMs: number | undefined;

  constructor(member: Pick<Member, "status">, clock: Pick<Clock, "nowMs">) {
    this.#member = member;
    this.#clock = clock;
  }

  look(): { readonly leadership: Leadership; readonly status: MemberStatus } {
    const status = this.#member.status();
    return { leadership: this.#judge(status), status };
  }

  #judge({ leader }: MemberStatus): Leadership {
    if (leader !== "") {
      this.#lostMs = undefined;
      return "known";
    }
    const nowMs = this.#clock.nowMs();
    this.#lostMs ??= nowMs;
    return nowMs - this.#lostMs < leaderPatienceMs ? "awaited" : "missing";
  }
}
