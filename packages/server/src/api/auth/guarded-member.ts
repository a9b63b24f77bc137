/**
 * A member as one user sees it. Doors know no other: whatever they do, the rules are asked, by what they do
 * with the member and not by the name of a method. While there are no rules it does what the member does.
 *
 * What goes through the log is looked at where it is applied; what is read here is looked at here, after the
 * barrier and right before the reading. So no read that begins behind a change of the rules goes by older
 * ones.
 */
import type {
  AuthState,
  HistoryHash,
  KeyValue,
  Operation,
  PageBounds,
  RangeOperation,
  RangeResult,
  Revision,
} from "@dkv/store";
import { intervalOf } from "@dkv/store";
import type {
  CheckReport,
  CommandResult,
  LeaseKeeper,
  Member,
  MemberAlarm,
  MemberDetails,
  MembershipChange,
  MemberStatus,
  MemberView,
} from "../../consensus/member.ts";
import { DkvError } from "../../platform/errors.ts";
import type { Asker } from "./asker.ts";
import { GuardedLeases } from "./guarded-leases.ts";
import { GuardedWatches } from "./guarded-watches.ts";
import { Rights } from "./rights.ts";

/** Rules do not change as often while one command is under way. */
const mostAttempts = 10;

const oneKey = new Uint8Array();

type Snapshot = Awaited<ReturnType<Member["takeSnapshot"]>>;

export class GuardedMember implements Member {
  readonly watches: GuardedWatches;
  readonly leases: LeaseKeeper;
  readonly #member: Member;
  readonly #rights: Rights;

  /** @param asker undefined: nobody has said who asks */
  constructor(member: Member, asker: Asker | undefined) {
    this.#member = member;
    this.#rights = new Rights(member, asker);
    this.watches = new GuardedWatches(member.watches, this.#rights);
    this.leases = new GuardedLeases(member.leases, this.#rights);
  }

  get auth(): AuthState {
    return this.#member.auth;
  }

  propose(operation: Operation, timeoutMs?: number): Promise<CommandResult> {
    return this.#rights.areFree
      ? this.#member.propose(operation, timeoutMs)
      : this.#proposeAs(operation, timeoutMs);
  }

  async readBarrier(timeoutMs?: number): Promise<void> {
    this.#rights.needUser();
    return this.#member.readBarrier(timeoutMs);
  }

  get(key: Uint8Array): KeyValue | undefined {
    if (!this.#rights.areFree) this.#rights.need("read", intervalOf(key, oneKey));
    return this.#member.get(key);
  }

  async range(operation: RangeOperation, page?: PageBounds): Promise<RangeResult> {
    if (!this.#rights.areFree) this.#rights.need("read", intervalOf(operation.key, operation.rangeEnd));
    return this.#member.range(operation, page);
  }

  /** Everybody may see this much: it stands in the head of every answer, refusals apart. */
  status(): MemberStatus {
    return this.#member.status();
  }

  async details(): Promise<MemberDetails> {
    this.#rights.needUser();
    return this.#member.details();
  }

  async historyRemoved(timeoutMs?: number): Promise<void> {
    this.#rights.needUser();
    return this.#member.historyRemoved(timeoutMs);
  }

  async members(timeoutMs?: number): Promise<readonly MemberView[]> {
    this.#rights.needUser();
    return this.#member.members(timeoutMs);
  }

  async changeMembership(change: MembershipChange, timeoutMs?: number): Promise<void> {
    this.#rights.needRoot();
    return this.#member.changeMembership(change, timeoutMs);
  }

  async moveLeader(name: string, timeoutMs?: number): Promise<void> {
    this.#rights.needRoot();
    return this.#member.moveLeader(name, timeoutMs);
  }

  async check(timeoutMs?: number): Promise<CheckReport> {
    this.#rights.needRoot();
    return this.#member.check(timeoutMs);
  }

  /** Whoever may do anything is to know why writes are refused. Throws a DkvError. */
  alarms(): readonly MemberAlarm[] {
    this.#rights.needUser();
    return this.#member.alarms();
  }

  async setNoSpace(
    memberId: Parameters<Member["setNoSpace"]>[0],
    isRaised: boolean,
    timeoutMs?: number,
  ): Promise<void> {
    this.#rights.needRoot();
    return this.#member.setNoSpace(memberId, isRaised, timeoutMs);
  }

  /** By hashes of all changes one can find out what they were. */
  async hashHistory(through: Revision): Promise<HistoryHash> {
    this.#rights.needRoot();
    return this.#member.hashHistory(through);
  }

  async takeSnapshot(): Promise<Snapshot> {
    this.#rights.needRoot();
    return this.#member.takeSnapshot();
  }

  /** Asks again by the new rules if they change before the command is applied, as etcd does. */
  async #proposeAs(operation: Operation, timeoutMs: number | undefined): Promise<CommandResult> {
    for (let attempt = 1; ; attempt += 1) {
      const caller = this.#rights.caller();
      try {
        return await this.#member.propose(operation, timeoutMs, caller);
      } catch (error) {
        const isOld = error instanceof DkvError && error.code === "authRevisionOld";
        if (!isOld || attempt === mostAttempts) throw error;
      }
    }
  }
}
