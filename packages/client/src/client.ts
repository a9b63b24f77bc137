import { readPieces } from "./backup.ts";
import { parseEndpoints } from "./endpoints.ts";
import { badConfiguration, DkvClientError } from "./errors.ts";
import { LeaderSearch } from "./leader-search.ts";
import { MemberDoors } from "./member.ts";
import { effectOf, type MembershipChange, nameOf } from "./membership.ts";
import { type Operation, perform } from "./operation.ts";
import type {
  ChangeResult,
  CheckResult,
  DeleteResult,
  GetResult,
  Header,
  MembersResult,
  SetResult,
} from "./results.ts";
import { Route } from "./route.ts";
import { checkTls, type TlsOptions } from "./tls.ts";

export interface DkvClientOptions {
  /**
   * `host:port` of one or more members; `https://host:port` for TLS with the authorities that Node trusts.
   */
  readonly endpoints: readonly string[];
  /** TLS with these certificates. Without it and without https: cleartext. */
  readonly tls?: TlsOptions | undefined;
  /** How long one operation may take in all, retries included. 5,000 unless given. */
  readonly timeoutMs?: number | undefined;
}

export interface CallOptions {
  /** Ends the wait. A write may take effect all the same. */
  readonly signal?: AbortSignal | undefined;
  /** Instead of the client's. */
  readonly timeoutMs?: number | undefined;
}

export interface GetOptions extends CallOptions {
  /**
   * Answer from the state of the member asked, which may be behind. Without it the answer is linearizable.
   */
  readonly serializable?: boolean | undefined;
}

export interface BackupOptions extends CallOptions {
  /**
   * Take what the member asked has, which may be behind; needs no quorum. Without it, everything acknowledged
   * before is in the backup.
   */
  readonly serializable?: boolean | undefined;
}

const defaultTimeoutMs = 5000;
/** What a timer can hold. */
const longestTimeoutMs = 2 ** 31 - 1;

/**
 * A client of one cluster.
 *
 * Connects when first used, follows the leader, and tries the other endpoints when one is down. Reads are
 * repeated until the timeout, and so are changes of the membership, as doing them twice does no harm. A
 * write of a key is repeated only where it is known to have had no effect; otherwise the error says
 * `outcomeUnknown`, and whether to repeat it is the caller's choice.
 *
 * All operations throw DkvClientError.
 */
export class DkvClient {
  readonly #timeoutMs: number;
  readonly #doors: MemberDoors;
  readonly #route: Route;
  readonly #search: LeaderSearch;
  readonly #closing = new AbortController();

  /** Connects to nothing yet. @throws DkvClientError `bad_configuration` */
  constructor(options: DkvClientOptions) {
    const { endpoints, scheme } = parseEndpoints(options.endpoints);
    this.#timeoutMs = checkTimeout(options.timeoutMs ?? defaultTimeoutMs);
    this.#doors = new MemberDoors(chooseTls(options.tls, scheme));
    this.#route = new Route(endpoints);
    this.#search = new LeaderSearch({ route: this.#route, closed: this.#closing.signal });
  }

  /** The key's value and history; undefined if there is no such key. */
  async get(
    key: string,
    { serializable = false, ...options }: GetOptions = {},
  ): Promise<GetResult | undefined> {
    const request = { key: checkText("key", key), serializable };
    return this.#perform(
      { name: "get", effect: "none", call: async (calls, limits) => calls.get(request, limits) },
      options,
    );
  }

  /** Sets a key, whether or not it exists. Text is stored as UTF-8. */
  async set(key: string, value: string | Uint8Array, options: CallOptions = {}): Promise<SetResult> {
    const bytes = typeof value === "string" ? new TextEncoder().encode(checkText("value", value)) : value;
    const request = { key: checkText("key", key), value: bytes };
    return this.#write(
      { name: "set", effect: "once", call: async (calls, limits) => calls.set(request, limits) },
      options,
    );
  }

  /** Deletes a key. Says whether it was there; that it was not is no error. */
  async delete(key: string, options: CallOptions = {}): Promise<DeleteResult> {
    const request = { key: checkText("key", key) };
    return this.#write(
      { name: "delete", effect: "once", call: async (calls, limits) => calls.delete(request, limits) },
      options,
    );
  }

  /** The cluster's members, as one of them knows them. */
  async members(options: CallOptions = {}): Promise<MembersResult> {
    return this.#perform(
      { name: "member-list", effect: "none", call: async (calls, limits) => calls.members(limits) },
      options,
    );
  }

  /**
   * Adds a member, which then has to be started. `address` is where its peers reach it, as host:port. That
   * it is there already, with that address, is no error.
   */
  async memberJoin(id: string, address: string, options: CallOptions = {}): Promise<ChangeResult> {
    return this.#change({ kind: "join", id, address }, options);
  }

  /** Removes a member for good. That it is not there is no error. */
  async memberLeave(id: string, options: CallOptions = {}): Promise<ChangeResult> {
    return this.#change({ kind: "leave", id }, options);
  }

  /** Makes a learner a voter. Waits, within the timeout, for one that lags behind. */
  async memberPromote(id: string, options: CallOptions = {}): Promise<ChangeResult> {
    return this.#change({ kind: "promote", id }, options);
  }

  /**
   * Removes one member and adds another, in one step. Both may have the same name: then the new one starts
   * with an empty data directory, and an unknown outcome is left to the caller.
   */
  async memberReplace(
    { oldId, id, address }: { readonly oldId: string; readonly id: string; readonly address: string },
    options: CallOptions = {},
  ): Promise<ChangeResult> {
    return this.#change({ kind: "replace", oldId, id, address }, options);
  }

  /** Tells the cluster where peers reach a member from now on. */
  async memberUpdate(id: string, address: string, options: CallOptions = {}): Promise<ChangeResult> {
    return this.#change({ kind: "update", id, address }, options);
  }

  /** Hands leadership to a voter. That it leads already is no error. */
  async moveLeader(id: string, options: CallOptions = {}): Promise<ChangeResult> {
    return this.#change({ kind: "moveLeader", id }, options);
  }

  /**
   * Compares what all members have stored, which each of them reads as a whole. Members that take longer than
   * the timeout gave no answer, so a large cluster needs a long one. One that differs from a majority is put
   * out of service.
   */
  async check(options: CallOptions = {}): Promise<CheckResult> {
    return this.#perform(
      { name: "check", effect: "none", isLong: true, call: async (calls, limits) => calls.check(limits) },
      options,
    );
  }

  /**
   * A backup of the cluster's state, as the bytes of a file, which is whole only if its checksums say so.
   * Resolves when the first bytes are here. The timeout counts until then, and after that from one piece to
   * the next. Reading may throw DkvClientError; what broke off begins anew.
   */
  async backup({
    serializable = false,
    ...options
  }: BackupOptions = {}): Promise<AsyncGenerator<Uint8Array>> {
    const pieces = await this.#perform(
      {
        name: "backup",
        effect: "none",
        call: async (calls, limits) => calls.backup({ serializable }, limits),
      },
      options,
    );
    const { timeoutMs = this.#timeoutMs, signal } = options;
    return readPieces(pieces, { timeoutMs, signal, closed: this.#closing.signal });
  }

  /** Closes all connections. Operations under way fail with `closed`. Calling it again does nothing. */
  close(): void {
    this.#closing.abort();
    this.#doors.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #change(change: MembershipChange, options: CallOptions): Promise<ChangeResult> {
    for (const text of Object.values(change)) checkText("name or address of the member", text);
    return this.#write(
      {
        name: nameOf(change),
        effect: effectOf(change),
        call: async (calls, limits) => calls.changeMembership(change, limits),
      },
      options,
    );
  }

  async #write<Result extends { readonly header: Header }>(
    write: Operation<Result>,
    options: CallOptions,
  ): Promise<Result> {
    const result = await this.#perform(write, options);
    this.#route.observe(result.header.leader);
    return result;
  }

  async #perform<Result>(
    operation: Operation<Result>,
    { signal, timeoutMs = this.#timeoutMs }: CallOptions,
  ): Promise<Result> {
    const closed = this.#closing.signal;
    if (closed.aborted) throw new DkvClientError({ code: "closed", retry: "never" }, "the client is closed");
    const deps = { route: this.#route, doors: this.#doors, search: this.#search, closed };
    return perform(deps, operation, { timeoutMs: checkTimeout(timeoutMs), signal });
  }
}

function chooseTls(
  tls: TlsOptions | undefined,
  scheme: "http" | "https" | undefined,
): TlsOptions | undefined {
  if (tls === undefined) return scheme === "https" ? {} : undefined;
  if (scheme === "http")
    throw badConfiguration("TLS files are given and the endpoints say http://; write https:// or host:port");
  checkTls(tls);
  return tls;
}

function checkTimeout(timeoutMs: number): number {
  if (timeoutMs > 0 && timeoutMs <= longestTimeoutMs) return timeoutMs;
  throw badConfiguration(`a timeout of ${timeoutMs} ms is not between 1 and ${longestTimeoutMs} ms`);
}

/** Text that is not well-formed cannot be UTF-8: it would be sent as something else than was meant. */
function checkText(what: string, text: string): string {
  if (text.isWellFormed()) return text;
  throw new DkvClientError(
    { code: "invalid_request", retry: "never" },
    `the ${what} is not well-formed Unicode (it has half of a surrogate pair)`,
  );
}
