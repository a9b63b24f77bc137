/** Reading and writing keys. */
import {
  checkCount,
  checkCountIfGiven,
  checkKeys,
  checkLease,
  checkLife,
  checkLimit,
  checkText,
  checkTtl,
  valueBytes,
} from "./checks.ts";
import { DkvClientError } from "./errors.ts";
import type {
  CompactResult,
  DeleteRequest,
  DeleteResult,
  GetRequest,
  GetResult,
  Keys,
  KeyValue,
  Page,
  SetRequest,
  SetResult,
} from "./keys.ts";
import type { Operation } from "./operation.ts";
import type {
  CallOptions,
  CompactOptions,
  DeleteOptions,
  GetOptions,
  ListOptions,
  ListPageOptions,
  SetOptions,
} from "./options.ts";
import type { Requests } from "./requests.ts";
import type { Effect } from "./retry.ts";
import { checkTxn, effectOfTxn, type Txn, type TxnResult } from "./txn.ts";

export function getRequest(
  key: string,
  { serializable = false, revision }: Omit<GetOptions, keyof CallOptions>,
): GetRequest {
  return { key: checkText("key", key), serializable, revision: checkCount("revision", revision) };
}

export function setRequest(
  key: string,
  value: string | Uint8Array,
  options: Omit<SetOptions, keyof CallOptions>,
): SetRequest {
  const { ttlSeconds, lease, ifVersion, ifModRevision, ifAbsent = false, returnPrevious = false } = options;
  return {
    key: checkText("key", key),
    value: valueBytes(value),
    ...checkLife({ ttlSeconds: checkTtl(ttlSeconds), lease: checkLease(lease) }),
    ifVersion: checkCountIfGiven("version", ifVersion),
    ifModRevision: checkCountIfGiven("revision", ifModRevision),
    ifAbsent,
    returnPrevious,
  };
}

export function deleteRequest(key: string, options: Omit<DeleteOptions, keyof CallOptions>): DeleteRequest {
  const { ifVersion, ifModRevision, returnPrevious = false } = options;
  return {
    key: checkText("key", key),
    ifVersion: checkCountIfGiven("version", ifVersion),
    ifModRevision: checkCountIfGiven("revision", ifModRevision),
    returnPrevious,
  };
}

export async function getKey(
  requests: Requests,
  key: string,
  { signal, timeoutMs, ...options }: GetOptions,
): Promise<GetResult | undefined> {
  const request = getRequest(key, options);
  return requests.perform(
    { name: "get", effect: "none", call: async (calls, limits) => calls.get(request, limits) },
    { signal, timeoutMs },
  );
}

export async function setKey(
  requests: Requests,
  request: SetRequest,
  options: CallOptions,
): Promise<SetResult> {
  const write: Operation<SetResult> = {
    name: "set",
    effect: effectOf(request),
    call: async (calls, limits) => calls.set(request, limits),
  };
  return requests.write(write, options).catch(async (error: unknown) => {
    throw await settled(requests, { error, request, options });
  });
}

export async function deleteKey(
  requests: Requests,
  request: DeleteRequest,
  options: CallOptions,
): Promise<DeleteResult> {
  const write: Operation<DeleteResult> = {
    name: "delete",
    effect: effectOf(request),
    call: async (calls, limits) => calls.delete(request, limits),
  };
  return requests.write(write, options).catch(async (error: unknown) => {
    throw await settled(requests, { error, request, options });
  });
}

/**
 * A write that was done makes its own condition false for ever, if that is a revision: repeating it does no
 * harm. That a key is missing, or has some version, can be so again.
 */
function effectOf({ ifModRevision = 0 }: Pick<SetRequest, "ifModRevision">): Effect {
  return ifModRevision > 0 ? "idempotent" : "once";
}

interface Doubt {
  readonly error: unknown;
  readonly request: Pick<SetRequest, "key" | "ifModRevision"> & { readonly value?: Uint8Array };
  readonly options: CallOptions;
}

/**
 * The condition of a repeated write did not hold: because the first attempt took effect, or somebody else
 * was faster. If the key has changed but once since, and not to what was to be written, it was somebody else.
 */
async function settled(requests: Requests, { error, request, options }: Doubt): Promise<unknown> {
  const { key, value, ifModRevision = 0 } = request;
  if (!(error instanceof DkvClientError) || error.code !== "precondition_failed") return error;
  if (error.retry !== "outcomeUnknown") return error;
  try {
    const now = await getKey(requests, key, options);
    const then = await getKey(requests, key, { ...options, revision: ifModRevision });
    if (now === undefined || then === undefined || now.createRevision !== then.createRevision) return error;
    const isOthers =
      value === undefined || (now.version === then.version + 1 && !Buffer.from(value).equals(now.value));
    if (!isOthers) return error;
  } catch {
    return error;
  }
  const verdict = { code: "precondition_failed", retry: "never" } as const;
  return new DkvClientError(verdict, `${key} was changed meanwhile`, { cause: error });
}

export async function listPage(
  requests: Requests,
  keys: Keys,
  { signal, timeoutMs, ...options }: ListPageOptions,
): Promise<Page> {
  const { limit, pageToken = "", keysOnly = false, serializable = false, revision } = options;
  const request = {
    keys: checkKeys(keys),
    limit: checkLimit(limit),
    pageToken,
    keysOnly,
    serializable,
    revision: checkCount("revision", revision),
  };
  return requests.perform(
    { name: "list", effect: "none", call: async (calls, limits) => calls.list(request, limits) },
    { signal, timeoutMs },
  );
}

/** As many as a page has unless asked otherwise. */
const pageSize = 1000;

export async function* listKeys(
  requests: Requests,
  keys: Keys,
  { limit = Infinity, ...options }: ListOptions,
): AsyncGenerator<KeyValue> {
  let left = limit === Infinity ? limit : checkCount("limit", limit);
  for (let pageToken: string | undefined = ""; pageToken !== undefined && left > 0; ) {
    const asked = Math.min(left, pageSize);
    const page: Page = await listPage(requests, keys, { ...options, limit: asked, pageToken });
    const found = page.found.slice(0, asked);
    yield* found;
    left -= found.length;
    pageToken = page.nextPageToken;
  }
}

export async function performTxn(requests: Requests, txn: Txn, options: CallOptions): Promise<TxnResult> {
  checkTxn(txn);
  return requests.write(
    {
      name: "txn",
      effect: effectOfTxn(txn),
      call: async (calls, limits) => {
        const result = await calls.txn(txn, limits);
        if (result.succeeded || !limits.isRepeated) return result;
        throw new DkvClientError(
          { code: "outcome_unknown", retry: "outcomeUnknown" },
          "a comparison of the transaction did not hold, perhaps because an earlier attempt took effect",
        );
      },
    },
    options,
  );
}

export async function compact(
  requests: Requests,
  revision: number,
  { wait = false, ...options }: CompactOptions,
): Promise<CompactResult> {
  const request = { revision: checkCount("revision", revision), wait };
  return requests.write(
    {
      name: "compact",
      effect: "idempotent",
      isLong: wait,
      call: async (calls, limits) => calls.compact(request, limits),
    },
    options,
  );
}
