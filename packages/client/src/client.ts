import { parseEndpoints } from "./endpoints.ts";
import { badConfiguration, DkvClientError } from "./errors.ts";
import { LeaderSearch } from "./leader-search.ts";
import { MemberDoors } from "./member.ts";
import { type Operation, perform } from "./operation.ts";
import type { DeleteResult, GetResult, MembersResult, SetResult } from "./results.ts";
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

const defaultTimeoutMs = 5000;
/** What a timer can hold. */
const longestTimeoutMs = 2 ** 31 - 1;

/**
 * A client of one cluster.
 *
 * Connects when first used, follows the leader, and tries the other endpoints when one is down. Reads are
 * repeated until the timeout. A write is repeated only where it is known to have had no effect; otherwise
 * the error says `outcomeUnknown`, and whether to repeat it is the caller's choice.
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
      { name: "get", repeatable: "always", call: async (calls, limits) => calls.get(request, limits) },
      options,
    );
  }

  /** Sets a key, whether or not it exists. Text is stored as UTF-8. */
  async set(key: string, value: string | Uint8Array, options: CallOptions = {}): Promise<SetResult> {
    const bytes = typeof value === "string" ? new TextEncoder().encode(checkText("value", value)) : value;
    const request = { key: checkText("key", key), value: bytes };
    return this.#write({ name: "set", call: async (calls, limits) => calls.set(request, limits) }, options);
  }

  /** Deletes a key. Says whether it was there; that it was not is no error. */
  async delete(key: string, options: CallOptions = {}): Promise<DeleteResult> {
    const request = { key: checkText("key", key) };
    return this.#write(
      { name: "delete", call: async (calls, limits) => calls.delete(request, limits) },
      options,
    );
  }

  /** The cluster's members, as one of them knows them. */
  async members(options: CallOptions = {}): Promise<MembersResult> {
    return this.#perform(
      { name: "member-list", repeatable: "always", call: async (calls, limits) => calls.members(limits) },
      options,
    );
  }

  /** Closes all connections. Operations under way fail with `closed`. Calling it again does nothing. */
  close(): void {
    this.#closing.abort();
    this.#doors.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #write<Result extends SetResult>(
    write: Omit<Operation<Result>, "repeatable">,
    options: CallOptions,
  ): Promise<Result> {
    const result = await this.#perform({ ...write, repeatable: "unlessOutcomeUnknown" }, options);
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
function checkText(what: "key" | "value", text: string): string {
  if (text.isWellFormed()) return text;
  throw new DkvClientError(
    { code: "invalid_request", retry: "never" },
    `the ${what} is not well-formed Unicode (it has half of a surrogate pair)`,
  );
}
