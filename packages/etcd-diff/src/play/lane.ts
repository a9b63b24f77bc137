import { create, type DescMethodUnary, type DescMessage, isMessage, type Message } from "@bufbuild/protobuf";
import {
  AuthenticateRequestSchema,
  AuthenticateResponseSchema,
  CompactionRequestSchema,
  HashKVRequestSchema,
  LeaseGrantRequestSchema,
  LeaseGrantResponseSchema,
  MemberAddResponseSchema,
  MemberListRequestSchema,
  MemberListResponseSchema,
  type WatchCreateRequest,
  WatchCreateRequestSchema,
} from "@dkv/protocol/etcdserverpb/rpc";
import { Names } from "../compare/names.ts";
import { oneOfAlike, underRules } from "../compare/rules.ts";
import { type Convert, fromPlain, type PlainMessage, textOf, toPlain } from "../message/plain.ts";
import { type Server, ServerError } from "../servers/server.ts";
import type { Step } from "../step.ts";
import { isLocal, isRead } from "./kinds.ts";
import { KeepAlives } from "./keep-alives.ts";
import { Revisions } from "./revisions.ts";
import { methodOf, Wire } from "./wire.ts";
import { type Deliveries, Watching } from "./watching.ts";

/** Reads that are asked at the same time. */
const mostAtOnce = 16;

const callOf = (name: string): DescMethodUnary => methodOf(name) as DescMethodUnary;
const memberList = callOf("Cluster/MemberList");
const range = callOf("KV/Range");

/**
 * Plays steps on one server, in their order, and says what came of each in words that can be compared with
 * another server's. It knows nothing of that other one.
 */
export class Lane {
  readonly name: string;
  readonly #wires: readonly Wire[];
  readonly #names: Names;
  readonly #convert: Convert;
  readonly #revisions = new Revisions();
  readonly #tokens = new Map<string, string>();
  readonly #watching: Watching;
  readonly #keepAlives: KeepAlives;
  #asked = 0;

  private constructor(name: string, wires: readonly [Wire, ...Wire[]], names: Names) {
    this.name = name;
    this.#wires = wires;
    this.#names = names;
    this.#convert = underRules(names);
    this.#watching = new Watching(wires[0], this.#convert);
    this.#keepAlives = new KeepAlives(wires[0], this.#convert);
  }

  /** To a server that has no data yet. Throws ServerError if it does not answer. */
  static async open(server: Server): Promise<Lane> {
    const [home, ...others] = server.addresses.map((address) => new Wire(address));
    if (home === undefined) throw new RangeError("a server without a member");
    const names = new Names(server.ports);
    const wires: [Wire, ...Wire[]] = [home, ...others];
    names.setMembers(await Promise.all(wires.map((wire) => idOfMember(wire, server))));
    const lane = new Lane(server.name, wires, names);
    await lane.#watching.begin();
    return lane;
  }

  /** What came of each step. */
  async play(steps: readonly Step[]): Promise<readonly PlainMessage[]> {
    const observed: PlainMessage[] = [];
    for (let at = 0; at < steps.length; ) {
      const first = steps.slice(at, at + 1);
      const reads = readsFrom(steps, at);
      const group = reads.length > 0 ? reads : first;
      observed.push(...(await Promise.all(group.map((step) => this.#playOne(step)))));
      at += group.length;
    }
    await this.#watching.settle(this.#revisions.latest);
    return observed;
  }

  /** What watchers got since the last time, and what was wrong with it whatever others get. */
  take(): Deliveries {
    return this.#watching.take();
  }

  close(): void {
    this.#watching.close();
    this.#keepAlives.close();
    for (const wire of this.#wires) wire.close();
  }

  async #playOne({ call, request, user }: Step): Promise<PlainMessage> {
    const token = user === undefined ? undefined : this.#tokens.get(user);
    if (this.#wires.length > 1 && isLocal(call, request)) await this.#catchUp();
    switch (call) {
      case "Watch/create":
        return this.#watch(request, token);
      case "Watch/cancel":
        await this.#watching.settle(this.#revisions.latest);
        return this.#watching.cancel(this.#resolve(textOf(request["watch_id"] ?? 0)));
      case "Watch/progress":
        await this.#watching.settle(this.#revisions.latest);
        return this.#watching.progress(this.#revisions.latest);
      case "Watch/close":
        await this.#watching.settle(this.#revisions.latest);
        this.#watching.closeStream();
        return {};
      case "Lease/LeaseKeepAlive":
        return this.#keepAlives.ask(this.#resolve(textOf(request["ID"] ?? 0)), token);
      default:
        return this.#ask(callOf(call), request, token);
    }
  }

  #watch(plain: PlainMessage, token: string | undefined): Promise<PlainMessage> {
    const { latest, compacted } = this.#revisions;
    const request = this.#build(WatchCreateRequestSchema, plain) as WatchCreateRequest;
    request.startRevision = startOf(request.startRevision, compacted);
    const isTooLate = request.startRevision !== 0n && Number(request.startRevision) < compacted;
    return this.#watching.create({ request, isTooLate, now: latest + 1 }, token);
  }

  async #ask(method: DescMethodUnary, plain: PlainMessage, token: string | undefined): Promise<PlainMessage> {
    if (method.name === "Compact") await this.#watching.catchUp(this.#revisions.latest);
    const request = this.#build(method.input, plain);
    this.#avoidQuirks(request);
    const reply = await this.#wireFor(method.name, plain).ask(method, request, token);
    if (reply.kind === "refused")
      return { code: reply.code, text: oneOfAlike(this.#names.inText(reply.text)) };
    this.#learn(request, reply.message);
    return toPlain(method.output, reply.message, this.#convert);
  }

  /** What differs from one etcd to the next is not asked. */
  #avoidQuirks(request: Message): void {
    const { compacted } = this.#revisions;
    if (isMessage(request, HashKVRequestSchema)) request.revision = hashableAt(request.revision, compacted);
  }

  #wireFor(method: string, request: PlainMessage): Wire {
    const at = this.#wires.length === 1 || isLocal(method, request) ? 0 : this.#asked % this.#wires.length;
    this.#asked += 1;
    return this.#wires[at] as Wire;
  }

  /** What later steps, and names in later answers, refer to. */
  #learn(request: Message, answer: Message): void {
    const { header } = answer as { readonly header?: { readonly revision: bigint } };
    this.#revisions.hear(header?.revision);
    if (isMessage(request, CompactionRequestSchema)) this.#revisions.compacted = Number(request.revision);
    if (isMessage(request, LeaseGrantRequestSchema) && isMessage(answer, LeaseGrantResponseSchema)) {
      if (request.ID === 0n) this.#names.addChosenLease(answer.ID);
    }
    if (isMessage(answer, MemberAddResponseSchema) && answer.member !== undefined)
      this.#names.addMember(answer.member.ID);
    if (isMessage(request, AuthenticateRequestSchema) && isMessage(answer, AuthenticateResponseSchema))
      this.#tokens.set(request.name, answer.token);
  }

  #build(schema: DescMessage, plain: PlainMessage): Message {
    return fromPlain(schema, plain, (symbol) => this.#resolve(symbol));
  }

  #resolve(symbol: string): bigint {
    if (/^-?\d+$/.test(symbol)) return BigInt(symbol);
    const [kind, which = ""] = symbol.split(":");
    if (kind === "watcher") return this.#watching.idOf(Number(which));
    if (kind === "member" || kind === "chosen") return this.#names.resolve(kind, which);
    const revision = this.#revisions.resolve(symbol);
    if (revision === undefined) throw new RangeError(`nothing is called ${symbol}`);
    return revision;
  }

  /** Afterwards the member that is asked knows all that others have said. */
  async #catchUp(): Promise<void> {
    await this.#wires[0]?.ask(range, this.#build(range.input, { key: "\0" }), undefined);
  }
}

/**
 * Where a watch begins, but for what differs from one etcd to the next: what comes of a negative revision,
 * and whether the deletions of the very revision up to which history was given up are still told of.
 */
function startOf(revision: bigint, compacted: number): bigint {
  if (revision < 0n) return 1n;
  return compacted > 0 && revision === BigInt(compacted) ? revision + 1n : revision;
}

/** Whether the very revision up to which history was given up is hashed. */
function hashableAt(revision: bigint, compacted: number): bigint {
  return compacted > 0 && revision === BigInt(compacted) ? 0n : revision;
}

/** The reads that come next, as many as may be asked together. */
function readsFrom(steps: readonly Step[], from: number): readonly Step[] {
  const next = steps.slice(from, from + mostAtOnce);
  const end = next.findIndex(({ call, request }) => !isRead(call, request));
  return end < 0 ? next : next.slice(0, end);
}

async function idOfMember(wire: Wire, server: Server): Promise<bigint> {
  const reply = await wire.ask(memberList, create(MemberListRequestSchema), undefined);
  if (reply.kind === "answered" && isMessage(reply.message, MemberListResponseSchema))
    return reply.message.header?.memberId ?? 0n;
  const why = reply.kind === "refused" ? `${reply.code}: ${reply.text}` : "with something else";
  throw new ServerError(`${server.name} does not tell its members: ${why}`);
}
