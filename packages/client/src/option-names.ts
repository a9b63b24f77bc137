/**
 * The names of all options, for who writes plain JavaScript: a misspelt condition would be none, and the key
 * be overwritten. That none is missing here, and none too many, the compiler sees to.
 */
import type * as of from "./options.ts";
import type { TlsOptions } from "./tls.ts";

/** Each name that options of this kind may have. */
export type Names<Options> = Readonly<Record<keyof Required<Options>, true>>;

/** Options of what goes through a pipe: all of that has the client's timeout. */
export type Piping<Options extends of.CallOptions> = Omit<Options, "timeoutMs">;

const pipedCall: Names<Piping<of.CallOptions>> = { signal: true };
const pipedGet: Names<Piping<of.GetOptions>> = { ...pipedCall, serializable: true, revision: true };
const conditions: Names<of.WriteConditions> = { ifVersion: true, ifModRevision: true };
const pipedDelete: Names<Piping<of.DeleteOptions>> = { ...pipedCall, ...conditions, returnPrevious: true };
const life = { ttlSeconds: true, lease: true } as const;
const pipedSet: Names<Piping<of.SetOptions>> = { ...pipedDelete, ...life, ifAbsent: true };

export const piping = { call: pipedCall, get: pipedGet, delete: pipedDelete, set: pipedSet } as const;

const timeoutMs = true;
const call: Names<of.CallOptions> = { ...pipedCall, timeoutMs };
const get: Names<of.GetOptions> = { ...pipedGet, timeoutMs };
const remove: Names<of.DeleteOptions> = { ...pipedDelete, timeoutMs };
const set: Names<of.SetOptions> = { ...pipedSet, timeoutMs };
const list: Names<of.ListOptions> = { ...get, limit: true, keysOnly: true };
const listPage: Names<of.ListPageOptions> = { ...list, pageToken: true };
const watched = { startRevision: true, previous: true, exclude: true, onReconnect: true } as const;
const watch: Names<of.WatchOptions> = { ...call, ...watched };
const compact: Names<of.CompactOptions> = { ...call, wait: true };
const grant: Names<of.GrantOptions> = { ...call, id: true };
const lease: Names<of.LeaseOptions> = { ...call, returnKeys: true };
const pipe: Names<of.PipeOptions> = { maxInFlight: true };
const lock: Names<of.LockOptions> = { signal: true, ttlSeconds: true };
const backup: Names<of.BackupOptions> = { ...call, serializable: true };
const client: Names<of.DkvClientOptions> = { endpoints: true, tls: true, user: true, timeoutMs };
const user: Names<of.User> = { name: true, password: true };
const files = { caFile: true, certFile: true, keyFile: true } as const;
const tls: Names<TlsOptions> = { ...files, ca: true, cert: true, key: true };

export const names = {
  call,
  get,
  delete: remove,
  set,
  list,
  listPage,
  watch,
  compact,
  grant,
  lease,
  pipe,
  lock,
  backup,
  client,
  user,
  tls,
} as const;

/** Of the operations of a transaction, and of itself. */
export const inTxn = {
  get: { limit: true, keysOnly: true },
  set: { ...life, returnPrevious: true },
  delete: { returnPrevious: true },
  txn: { compares: true, success: true, failure: true },
} as const;
