/** Locks and elections: what the head of a waiting line is good for. */
import { Place } from "./line.ts";
import type { LockOptions } from "./options.ts";
import type { Requests } from "./requests.ts";

/** A lock that is held. */
export interface Lock extends AsyncDisposable {
  /**
   * Greater than that of everybody who held the lock before. Give it to what the lock protects: who has
   * seen a greater one can refuse a holder that has lost the lock and does not know it yet.
   */
  readonly fencingToken: number;
  /** The key that stands for it, as long as it is held. */
  readonly key: string;
  /** Aborted, with a DkvClientError `lease_lost`, when somebody else may hold the lock. Not by `release`. */
  readonly lost: AbortSignal;
  /** Lets the next one have it. @throws DkvClientError if no member could be told: it ends by itself then */
  release(): Promise<void>;
}

/** An election that is won. */
export interface Leadership extends AsyncDisposable {
  /** As that of a lock. */
  readonly fencingToken: number;
  /** The key that has the leader's value. */
  readonly key: string;
  /** Aborted, with a DkvClientError `lease_lost`, when somebody else may lead. Not by `resign`. */
  readonly lost: AbortSignal;
  /** Changes the leader's value. @throws DkvClientError `lease_lost` if it leads no more */
  proclaim(value: string | Uint8Array): Promise<void>;
  /** Lets the next one lead. @throws DkvClientError if no member could be told: it ends by itself then */
  resign(): Promise<void>;
}

export async function lock(requests: Requests, name: string, options: LockOptions): Promise<Lock> {
  const place = await Place.take(requests, { name, value: "" }, options);
  const release = async (): Promise<void> => place.leave();
  const { key, revision, lost } = place;
  return { fencingToken: revision, key, lost, release, [Symbol.asyncDispose]: release };
}

export async function elect(
  requests: Requests,
  { name, value }: { readonly name: string; readonly value: string | Uint8Array },
  options: LockOptions,
): Promise<Leadership> {
  const place = await Place.take(requests, { name, value }, options);
  const resign = async (): Promise<void> => place.leave();
  const { key, revision, lost } = place;
  return {
    fencingToken: revision,
    key,
    lost,
    proclaim: async (next) => place.say(next),
    resign,
    [Symbol.asyncDispose]: resign,
  };
}
