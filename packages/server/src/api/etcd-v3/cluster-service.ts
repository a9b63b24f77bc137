/** Members, as clients of etcd know them: by their ids, and with URLs. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  MemberAddRequest,
  MemberAddResponseSchema,
  MemberListRequest,
  MemberPromoteRequest,
  MemberRemoveRequest,
  MemberSchema,
  MemberUpdateRequest,
} from "@dkv/protocol/etcdserverpb/rpc";
import type { Member, MemberView } from "../../consensus/member.ts";
import { isAddress } from "../../platform/address.ts";
import { etcdError } from "./errors.ts";
import { headerWithoutRevision } from "./header.ts";
import { addressIn, type Scheme, urlsOf } from "./member-urls.ts";
import type { CallInfo } from "./method.ts";

/** Nearly all answers are lists. */
interface List {
  readonly header: ReturnType<typeof headerWithoutRevision>;
  readonly members: MessageInitShape<typeof MemberSchema>[];
}

type Timeout = CallInfo["timeoutMs"];

/** How members are reached. */
export interface Schemes {
  readonly peer: Scheme;
  readonly client: Scheme;
}

/** Every method rejects with a DkvError, or with an error of etcd. */
export class ClusterService {
  readonly #member: Member;
  readonly #schemes: Schemes;

  constructor(member: Member, schemes: Schemes) {
    this.#member = member;
    this.#schemes = schemes;
  }

  /**
   * The new member has no name yet: it is called by its address, by which it finds itself, until it starts
   * with one. It begins as a learner in any case, and stays one if that was asked for.
   */
  async add(
    { peerURLs, isLearner }: MemberAddRequest,
    { timeoutMs }: CallInfo,
  ): Promise<MessageInitShape<typeof MemberAddResponseSchema>> {
    const peerAddress = addressIn(peerURLs);
    const isTaken = (view: MemberView): boolean => view.peerAddress === peerAddress;
    const before = await this.#member.members(timeoutMs);
    if (before.some(isTaken)) throw etcdError("peerUrlExists");
    // As many as etcd takes unless it is told otherwise.
    if (isLearner && before.some(({ role }) => role === "learner")) throw etcdError("tooManyLearners");
    await this.#member.changeMembership(
      { kind: "join", name: peerAddress, peerAddress, staysLearner: isLearner },
      timeoutMs,
    );
    const views = await this.#member.members(timeoutMs);
    const added = views.find(isTaken);
    if (added === undefined) throw etcdError("unhealthy");
    return { ...this.#answer(views), member: this.#row(added) };
  }

  async remove({ ID }: MemberRemoveRequest, { timeoutMs }: CallInfo): Promise<List> {
    const { name } = await this.#named(ID, timeoutMs);
    await this.#member.changeMembership({ kind: "leave", name }, timeoutMs);
    return this.#list(timeoutMs);
  }

  async update({ ID, peerURLs }: MemberUpdateRequest, { timeoutMs }: CallInfo): Promise<List> {
    const peerAddress = addressIn(peerURLs);
    const { name } = await this.#named(ID, timeoutMs);
    await this.#member.changeMembership({ kind: "update", name, peerAddress }, timeoutMs);
    return this.#list(timeoutMs);
  }

  async promote({ ID }: MemberPromoteRequest, { timeoutMs }: CallInfo): Promise<List> {
    const { name, role } = await this.#named(ID, timeoutMs);
    if (role !== "learner") throw etcdError("notLearner");
    await this.#member.changeMembership({ kind: "promote", name }, timeoutMs);
    return this.#list(timeoutMs);
  }

  async list({ linearizable }: MemberListRequest, { timeoutMs }: CallInfo): Promise<List> {
    if (linearizable) await this.#member.readBarrier(timeoutMs);
    return this.#list(timeoutMs);
  }

  async #named(id: bigint, timeoutMs: Timeout): Promise<MemberView> {
    const view = (await this.#member.members(timeoutMs)).find((one) => one.id === id);
    if (view === undefined) throw etcdError("memberNotFound");
    return view;
  }

  async #list(timeoutMs: Timeout): Promise<List> {
    return this.#answer(await this.#member.members(timeoutMs));
  }

  #answer(views: readonly MemberView[]): List {
    return { header: headerWithoutRevision(this.#member), members: views.map((view) => this.#row(view)) };
  }

  #row(view: MemberView): MessageInitShape<typeof MemberSchema> {
    const { id, name, peerAddress, clientAddress, clientUrls = [], role } = view;
    // It may have been told to move since it was called by its address.
    const isNameless = isAddress(name) && clientAddress === "" && clientUrls.length === 0;
    return {
      ID: id,
      name: isNameless ? "" : name,
      peerURLs: urlsOf(this.#schemes.peer, peerAddress),
      clientURLs: clientUrls.length > 0 ? [...clientUrls] : urlsOf(this.#schemes.client, clientAddress),
      isLearner: role === "learner",
    };
  }
}
