/** v3lockpb: a lock is held by whoever came first of those who want it. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { KV } from "@dkv/protocol/etcdserverpb/rpc";
import type {
  LockRequest,
  LockResponseSchema,
  UnlockRequest,
  UnlockResponseSchema,
} from "@dkv/protocol/v3lockpb/v3lock";
import type { Surroundings } from "../../generated-stream.ts";
import type { OwnCalls } from "./own-calls.ts";
import { enter, leaseFor, leave, turnOf } from "./place.ts";

/** Every method rejects with what clients are told, or with the reason for which its caller has gone. */
export class LockService {
  readonly #calls: OwnCalls;

  constructor(calls: OwnCalls) {
    this.#calls = calls;
  }

  /** Waits for the lock. Who goes before having it leaves the queue. */
  async lock(
    { name, lease: given }: LockRequest,
    surroundings: Surroundings,
  ): Promise<MessageInitShape<typeof LockResponseSchema>> {
    const calls = this.#calls;
    const lease = await leaseFor(calls, given, surroundings);
    const { place, header, isFirst } = await enter(calls, { name, lease }, surroundings);
    if (isFirst) return { header, key: place.key };
    try {
      return { header: await turnOf(calls, place, { ...surroundings, lost }), key: place.key };
    } catch (error) {
      await leave(calls, place, surroundings).catch(() => undefined);
      throw error;
    }
  }

  async unlock(
    { key }: UnlockRequest,
    surroundings: Surroundings,
  ): Promise<MessageInitShape<typeof UnlockResponseSchema>> {
    return { header: (await this.#calls.call(KV.method.deleteRange, { key }, surroundings)).header };
  }
}

/** The lease has ended, or somebody has deleted the key. */
const lost = (): ConnectError => new ConnectError("mutex: session is expired", Code.Unknown);
