/**
 * A waiting line: whoever came first is at its head. A place in it is a key of its own, which is deleted with
 * its holder's lease, and the revision at which it was created is the order. So a lock is held, and a leader
 * is elected. Each waits for the one before it only, so that a change wakes nobody who has to go on waiting.
 */
import { checkText } from "./checks.ts";
import { DkvClientError } from "./errors.ts";
import { getKey, listKeys, performTxn } from "./key-requests.ts";
import type { KeyValue } from "./keys.ts";
import { Lease } from "./lease.ts";
import { isIn } from "./lease-requests.ts";
import type { LockOptions } from "./options.ts";
import { jittered, sleep } from "./platform/time.ts";
import type { Requests } from "./requests.ts";
import { backoffMs } from "./retry.ts";
import { compare, op } from "./txn.ts";
import { Watch } from "./watch.ts";

const defaultTtlSeconds = 10;

/** The head of a line, as long as it is not left. */
export class Place {
  /** Nobody else in the line has it. */
  readonly key: string;
  /** Revision at which the place was taken: greater than that of everybody who was at the head before. */
  readonly revision: number;
  /** Aborted, with a DkvClientError `lease_lost`, when somebody else may be at the head. */
  readonly lost: AbortSignal;
  readonly #requests: Requests;
  readonly #lease: Lease;
  readonly #left = new AbortController();

  private constructor(
    requests: Requests,
    lease: Lease,
    { key, revision }: { key: string; revision: number },
  ) {
    const gone = new AbortController();
    this.key = key;
    this.revision = revision;
    this.lost = AbortSignal.any([lease.lost, gone.signal]);
    this.#requests = requests;
    this.#lease = lease;
    const end = AbortSignal.any([this.#left.signal, this.lost]);
    void waitUntilDeleted(requests, this, end).then(
      () => {
        gone.abort(lost(`${key} was deleted`));
      },
      (error: unknown) => {
        if (!end.aborted) gone.abort(lost(`${key} cannot be watched`, error));
      },
    );
  }

  /** Waits for the head of the line. @throws DkvClientError; no place is left behind then for long */
  static async take(
    requests: Requests,
    { name, value }: { readonly name: string; readonly value: string | Uint8Array },
    { signal, ttlSeconds = defaultTtlSeconds }: LockOptions,
  ): Promise<Place> {
    const prefix = linePrefix(name);
    const lease = await Lease.grant(requests, ttlSeconds, { signal });
    const key = `${prefix}${BigInt.asUintN(64, lease.id).toString(16).padStart(16, "0")}`;
    try {
      const revision = await enter(requests, { key, value, lease }, signal);
      const stop = AbortSignal.any(signal === undefined ? [lease.lost] : [lease.lost, signal]);
      await waitForHead(requests, { key, prefix, revision }, stop).catch((error: unknown) => {
        throw lease.lost.aborted ? lease.lost.reason : error;
      });
      return new Place(requests, lease, { key, revision });
    } catch (error) {
      // Without the caller's signal, which may be what ended the wait. If it fails, the lease ends by itself.
      await lease.close().catch(() => undefined);
      throw error;
    }
  }

  /** Changes what the place says. @throws DkvClientError `lease_lost` if it is gone */
  async say(value: string | Uint8Array): Promise<void> {
    const { key, revision } = this;
    const { succeeded } = await performTxn(
      this.#requests,
      {
        compares: [compare(key).createRevision.is(revision)],
        success: [op.set(key, value, { lease: this.#lease })],
      },
      {},
    );
    if (!succeeded) throw lost(`${key} was deleted`);
  }

  /** Lets the next one to the head. @throws DkvClientError if no member could be told: it ends by itself then */
  async leave(): Promise<void> {
    this.#left.abort();
    await this.#lease.close();
  }
}

/** Who is at the head of a line; undefined if nobody is in it. */
export async function headOf(
  requests: Requests,
  name: string,
  options: { readonly signal?: AbortSignal | undefined; readonly timeoutMs?: number | undefined },
): Promise<KeyValue | undefined> {
  const prefix = linePrefix(name);
  let head: KeyValue | undefined;
  for await (const kv of listKeys(requests, { prefix }, options))
    if (isPlace(kv.key, prefix) && kv.createRevision < (head?.createRevision ?? Infinity)) head = kv;
  return head;
}

function linePrefix(name: string): string {
  if (checkText("name", name) !== "") return `${name}/`;
  throw new DkvClientError({ code: "invalid_request", retry: "never" }, "the name is empty");
}

/** Other keys may begin with the same: those of a line whose name begins so, for one. */
const isPlace = (key: string, prefix: string): boolean => /^[\da-f]{16}$/.test(key.slice(prefix.length));

interface Entry {
  readonly key: string;
  readonly value: string | Uint8Array;
  readonly lease: Lease;
}

/** Takes the last place. Nobody else writes this key, so doing it again does no harm: it is there then. */
async function enter(
  requests: Requests,
  { key, value, lease }: Entry,
  signal: AbortSignal | undefined,
): Promise<number> {
  const txn = {
    compares: [compare(key).isMissing()],
    success: [op.set(key, value, { lease })],
    failure: [op.get(key)],
  };
  const { succeeded, results, header } = await requests.write(
    { name: "lock", effect: "idempotent", call: async (calls, limits) => calls.txn(txn, limits) },
    { signal },
  );
  if (succeeded) return header.revision;
  const [read] = results;
  const mine = read?.kind === "get" ? read.found[0] : undefined;
  if (mine === undefined) throw lost(`${key} was deleted`);
  return mine.createRevision;
}

interface Waiting {
  readonly key: string;
  readonly prefix: string;
  readonly revision: number;
}

async function waitForHead(requests: Requests, waiting: Waiting, signal: AbortSignal): Promise<void> {
  for (;;) {
    const before = await untilAnswered(signal, async () => nextBefore(requests, waiting, signal));
    if (before === undefined) return;
    await waitUntilDeleted(requests, { key: before.key, revision: before.createRevision }, signal);
  }
}

/** The place just before this one; undefined if there is none. @throws DkvClientError if this one is gone */
async function nextBefore(
  requests: Requests,
  waiting: Waiting,
  signal: AbortSignal,
): Promise<KeyValue | undefined> {
  const { prefix, revision } = waiting;
  let before: KeyValue | undefined;
  let isThere = false;
  for await (const kv of listKeys(requests, { prefix }, { keysOnly: true, signal })) {
    if (!isPlace(kv.key, prefix)) continue;
    isThere ||= kv.createRevision === revision;
    if (kv.createRevision < revision && kv.createRevision > (before?.createRevision ?? 0)) before = kv;
  }
  if (!isThere) throw lost(`${waiting.key} was deleted`);
  return before;
}

/**
 * Resolves once the key that was created at that revision is there no more. That no member answers passes, or
 * ends with the lease: the signal has to be aborted with it.
 */
async function waitUntilDeleted(
  requests: Requests,
  { key, revision }: { readonly key: string; readonly revision: number },
  signal: AbortSignal,
): Promise<void> {
  return untilAnswered(signal, async () => {
    for (;;) {
      const found = await getKey(requests, key, { signal });
      if (found?.createRevision !== revision) return;
      const startRevision = found.header.revision + 1;
      const watch = new Watch(requests, { key }, { startRevision, exclude: ["set"], signal });
      try {
        for await (const { kind } of watch) if (kind === "delete") return;
      } catch (error) {
        // What was given up may have been the deletion: look again.
        if (!isIn(error, "compacted")) throw error;
      }
    }
  });
}

/** Asks again after failures that pass, until the signal is aborted. */
async function untilAnswered<Answer>(signal: AbortSignal, ask: () => Promise<Answer>): Promise<Answer> {
  for (let round = 0; ; round += 1) {
    try {
      return await ask();
    } catch (error) {
      if (signal.aborted || !(error instanceof DkvClientError) || error.retry === "never") throw error;
    }
    // If it is aborted meanwhile, asking once more says so.
    await sleep(jittered(backoffMs(round)), signal).catch(() => undefined);
  }
}

function lost(why: string, cause?: unknown): DkvClientError {
  return new DkvClientError({ code: "lease_lost", retry: "never" }, why, { cause });
}
