/**
 * v3electionpb: elected is who came first of those who stand for something, and what its key has is
 * proclaimed.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { KV, type ResponseHeader } from "@dkv/protocol/etcdserverpb/rpc";
import { Event_EventType, type KeyValue } from "@dkv/protocol/mvccpb/kv";
import type {
  CampaignRequest,
  CampaignResponseSchema,
  LeaderKey,
  LeaderRequest,
  LeaderResponseSchema,
  ProclaimRequest,
  ProclaimResponseSchema,
  ResignRequest,
  ResignResponseSchema,
} from "@dkv/protocol/v3electionpb/v3election";
import type { Surroundings } from "../../generated-stream.ts";
import type { OwnCalls } from "./own-calls.ts";
import { createdIn, enter, firstOf, leaseFor, leave, prefixOf, rangeEndOf, turnOf } from "./place.ts";

type LeaderResponse = MessageInitShape<typeof LeaderResponseSchema>;

/** Every method rejects with what clients are told, or with the reason for which its caller has gone. */
export class ElectionService {
  readonly #calls: OwnCalls;

  constructor(calls: OwnCalls) {
    this.#calls = calls;
  }

  /** Waits to be elected. Who goes before that stands no longer. */
  async campaign(
    { name, lease: given, value }: CampaignRequest,
    surroundings: Surroundings,
  ): Promise<MessageInitShape<typeof CampaignResponseSchema>> {
    const calls = this.#calls;
    const lease = await leaseFor(calls, given, surroundings);
    const wanted = { name, lease, value: Uint8Array.from(value) };
    const { place, header, value: kept, isFirst } = await enter(calls, wanted, surroundings);
    const { key, createRevision: rev } = place;
    const leader = { name, key, rev, lease };
    try {
      if (kept !== undefined && Buffer.compare(kept, value) !== 0)
        await this.#proclaim(leader, wanted.value, surroundings);
      if (!isFirst) await turnOf(calls, place, { ...surroundings, lost: notLeader });
    } catch (error) {
      await leave(calls, place, surroundings).catch(() => undefined);
      throw error;
    }
    return { header, leader };
  }

  async proclaim(
    { leader, value }: ProclaimRequest,
    surroundings: Surroundings,
  ): Promise<MessageInitShape<typeof ProclaimResponseSchema>> {
    if (leader === undefined) throw noLeaderKey();
    return { header: await this.#proclaim(leader, Uint8Array.from(value), surroundings) };
  }

  async leader({ name }: LeaderRequest, surroundings: Surroundings): Promise<LeaderResponse> {
    const { header, kvs } = await this.#calls.call(KV.method.range, firstOf(prefixOf(name)), surroundings);
    const [kv] = kvs;
    if (kv === undefined) throw new ConnectError("election: no leader", Code.Unknown);
    return { header, kv };
  }

  /**
   * Says who is elected, and what that one proclaims, whenever that changes; all of it, as long as it is
   * watched.
   */
  async *observe({ name }: LeaderRequest, surroundings: Surroundings): AsyncGenerator<LeaderResponse> {
    const prefix = prefixOf(name);
    for (;;) {
      surroundings.signal.throwIfAborted();
      const { header, kvs } = await this.#calls.call(KV.method.range, firstOf(prefix), surroundings);
      const elected =
        kvs[0] === undefined
          ? await this.#firstPut(prefix, (header?.revision ?? 0n) + 1n, surroundings)
          : { header, kv: kvs[0] };
      if (elected === undefined) continue;
      yield elected;
      yield* this.#proclaimed(elected, surroundings);
    }
  }

  async resign(
    { leader }: ResignRequest,
    surroundings: Surroundings,
  ): Promise<MessageInitShape<typeof ResignResponseSchema>> {
    if (leader === undefined) throw noLeaderKey();
    const place = { key: Uint8Array.from(leader.key), createRevision: leader.rev };
    return { header: await leave(this.#calls, place, surroundings) };
  }

  /** Rejects if the leader is none any more. */
  async #proclaim(
    { key: given, rev, lease }: Pick<LeaderKey, "key" | "rev" | "lease">,
    value: Uint8Array<ArrayBuffer>,
    surroundings: Surroundings,
  ): Promise<ResponseHeader | undefined> {
    const key = Uint8Array.from(given);
    const put = { request: { case: "requestPut", value: { key, value, lease } } } as const;
    const txn = { compare: [createdIn(key, rev)], success: [put] };
    const { header, succeeded } = await this.#calls.call(KV.method.txn, txn, surroundings);
    if (!succeeded) throw notLeader();
    return header;
  }

  /** Waits for somebody to stand. Undefined if that cannot be told from what is left of the history. */
  async #firstPut(
    prefix: Uint8Array<ArrayBuffer>,
    startRevision: bigint,
    surroundings: Surroundings,
  ): Promise<Elected | undefined> {
    const create = { key: prefix, rangeEnd: rangeEndOf(prefix), startRevision };
    for await (const { header, events, canceled } of this.#calls.watch([create], surroundings)) {
      if (canceled) return undefined;
      const kv = events.find(({ type }) => type === Event_EventType.PUT)?.kv;
      if (header !== undefined && kv !== undefined)
        return { header: { ...header, revision: kv.modRevision }, kv };
    }
    return undefined;
  }

  /** What the elected one says from then on, until its key has gone. */
  async *#proclaimed({ header, kv }: Elected, surroundings: Surroundings): AsyncGenerator<LeaderResponse> {
    const create = { key: Uint8Array.from(kv.key), startRevision: (header?.revision ?? 0n) + 1n };
    for await (const answer of this.#calls.watch([create], surroundings)) {
      if (answer.canceled) return;
      for (const event of answer.events) {
        if (event.type === Event_EventType.DELETE) return;
        yield { header: answer.header, kv: event.kv };
      }
    }
  }
}

interface Elected {
  readonly header: ResponseHeader | undefined;
  readonly kv: KeyValue;
}

const notLeader = (): ConnectError => new ConnectError("election: not leader", Code.Unknown);
const noLeaderKey = (): ConnectError => new ConnectError('"leader" field must be provided', Code.Unknown);
