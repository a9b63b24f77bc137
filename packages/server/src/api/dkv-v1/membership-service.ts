/** The membership of dkv.v1, once, for every protocol that carries it. */
import type {
  JoinServerRequest,
  LeaveServerRequest,
  MoveLeaderRequest,
  PromoteServerRequest,
  ReplaceServerRequest,
  UpdateServerRequest,
} from "@dkv/protocol/dkv/v1/dkv";
import type { Member, MembershipChange } from "../../consensus/member.ts";
import type { ChangeAnswer, ServersAnswer, Timeout } from "./answers.ts";
import { checkedAddress, checkedName } from "./member-names.ts";

/** Every method rejects with a DkvError. */
export class MembershipService {
  readonly #member: Member;

  constructor(member: Member) {
    this.#member = member;
  }

  async list(timeoutMs: Timeout): Promise<ServersAnswer> {
    const members = await this.#member.members(timeoutMs);
    return { ...this.#answer(), members };
  }

  async join({ id, address }: JoinServerRequest, timeoutMs: Timeout): Promise<ChangeAnswer> {
    const name = checkedName(id, "id");
    return this.#change({ kind: "join", name, peerAddress: checkedAddress(address) }, timeoutMs);
  }

  async leave({ id }: LeaveServerRequest, timeoutMs: Timeout): Promise<ChangeAnswer> {
    return this.#change({ kind: "leave", name: checkedName(id, "id") }, timeoutMs);
  }

  async promote({ id }: PromoteServerRequest, timeoutMs: Timeout): Promise<ChangeAnswer> {
    return this.#change({ kind: "promote", name: checkedName(id, "id") }, timeoutMs);
  }

  async replace({ oldId, id, address }: ReplaceServerRequest, timeoutMs: Timeout): Promise<ChangeAnswer> {
    const names = { old: checkedName(oldId, "old_id"), name: checkedName(id, "id") };
    return this.#change({ kind: "replace", ...names, peerAddress: checkedAddress(address) }, timeoutMs);
  }

  async update({ id, address }: UpdateServerRequest, timeoutMs: Timeout): Promise<ChangeAnswer> {
    const name = checkedName(id, "id");
    return this.#change({ kind: "update", name, peerAddress: checkedAddress(address) }, timeoutMs);
  }

  async moveLeader({ id }: MoveLeaderRequest, timeoutMs: Timeout): Promise<ChangeAnswer> {
    await this.#member.moveLeader(checkedName(id, "id"), timeoutMs);
    return this.#answer();
  }

  async #change(change: MembershipChange, timeoutMs: Timeout): Promise<ChangeAnswer> {
    await this.#member.changeMembership(change, timeoutMs);
    return this.#answer();
  }

  #answer(): ChangeAnswer {
    const status = this.#member.status();
    return { header: { status, revision: status.revision } };
  }
}
