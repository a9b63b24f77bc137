import { Auth } from "./auth.ts";
import { readPieces } from "./backup.ts";
import { checkOptions, checkUser, chooseTls, wrongOptions } from "./checks.ts";
import { parseEndpoints } from "./endpoints.ts";
import { badConfiguration } from "./errors.ts";
import * as keys from "./key-requests.ts";
import type {
  CompactResult,
  DeleteResult,
  GetResult,
  Keys,
  KeyValue,
  LeaseRef,
  Page,
  SetResult,
} from "./keys.ts";
import { LeaderSearch } from "./leader-search.ts";
import { Lease } from "./lease.ts";
import * as leases from "./lease-requests.ts";
import type { GrantResult, KeepAliveResult, LeaseInfo, LeasesResult, RevokeResult } from "./leases.ts";
import { headOf } from "./line.ts";
import { elect, type Leadership, lock, type Lock } from "./lock.ts";
import { MemberDoors } from "./member.ts";
import { changeMembership, type MembershipChange } from "./membership.ts";
import { names } from "./option-names.ts";
import type {
  BackupOptions,
  CallOptions,
  CompactOptions,
  DeleteOptions,
  DkvClientOptions,
  GetOptions,
  GrantOptions,
  LeaseOptions,
  ListOptions,
  ListPageOptions,
  LockOptions,
  PipeOptions,
  SetOptions,
  WatchOptions,
} from "./options.ts";
import { Pipe } from "./pipe.ts";
import { Requests } from "./requests.ts";
import type { ChangeResult, CheckResult, MembersResult, MemberStatus, StatusReport } from "./results.ts";
import { Route } from "./route.ts";
import { clusterStatus, memberStatus } from "./status.ts";
import type { Txn, TxnResult } from "./txn.ts";
import { Watch } from "./watch.ts";

const defaultTimeoutMs = 5000;

/**
 * A client of one cluster.
 *
 * Connects when first used, follows the leader, and tries the other endpoints when one is down. Reads are
 * repeated until the timeout, and so is what does no harm when it is done twice: changes of the membership
 * and of leases, and writes on the condition that a key was last set at some revision. Any other write of a
 * key is repeated only where it is known to have had no effect; otherwise the error says `outcomeUnknown`,
 * and whether to repeat it is the caller's choice.
 *
 * All operations throw DkvClientError.
 */
export class DkvClient {
  /** Who may do what. */
  readonly auth: Auth;
  readonly #doors: MemberDoors;
  readonly #requests: Requests;
  readonly #closing = new AbortController();

  /** Connects to nothing yet. @throws DkvClientError `bad_configuration` */
  constructor(options: DkvClientOptions) {
    const wrong = wrongOptions(options, names.client);
    if (wrong !== undefined) throw badConfiguration(wrong);
    const { endpoints, scheme } = parseEndpoints(options.endpoints);
    const closed = this.#closing.signal;
    this.#doors = new MemberDoors({ tls: chooseTls(options.tls, scheme), user: checkUser(options.user) });
    const route = new Route(endpoints);
    const deps = { route, doors: this.#doors, search: new LeaderSearch({ route, closed }), closed };
    this.#requests = new Requests(deps, options.timeoutMs ?? defaultTimeoutMs);
    this.auth = new Auth(this.#requests);
  }

  /** The key's value and history; undefined if there is no such key. */
  async get(key: string, options: GetOptions = {}): Promise<GetResult | undefined> {
    return keys.getKey(this.#requests, key, checkOptions(options, names.get));
  }

  /**
   * Sets a key. Text is stored as UTF-8. A condition that does not hold is `precondition_failed`, and
   * nothing is written then.
   */
  async set(key: string, value: string | Uint8Array, options: SetOptions = {}): Promise<SetResult> {
    const { signal, timeoutMs, ...more } = checkOptions(options, names.set);
    return keys.setKey(this.#requests, keys.setRequest(key, value, more), { signal, timeoutMs });
  }

  /** Deletes a key. Says whether it was there; that it was not is no error. Conditions are those of `set`. */
  async delete(key: string, options: DeleteOptions = {}): Promise<DeleteResult> {
    const { signal, timeoutMs, ...more } = checkOptions(options, names.delete);
    return keys.deleteKey(this.#requests, keys.deleteRequest(key, more), { signal, timeoutMs });
  }

  /** Keys in the order of their bytes, as they all were at one revision; read page by page as they are taken. */
  list(range: Keys, options: ListOptions = {}): AsyncGenerator<KeyValue> {
    return keys.listKeys(this.#requests, range, checkOptions(options, names.list));
  }

  /** One page of keys. All pages show the revision of the first. */
  async listPage(range: Keys, options: ListPageOptions = {}): Promise<Page> {
    return keys.listPage(this.#requests, range, checkOptions(options, names.listPage));
  }

  /** Does one of two lists of operations as one change; `compare` and `op` help to write it. */
  async txn(txn: Txn, options: CallOptions = {}): Promise<TxnResult> {
    return keys.performTxn(this.#requests, txn, options);
  }

  /**
   * Every change of some keys, in order, once: `for await (const event of client.watch({ prefix: "a/" }))`.
   * Goes on with another member when one is lost. Begins when it is first read, or by its `open`.
   */
  watch(range: Keys, options: WatchOptions = {}): Watch {
    return new Watch(this.#requests, range, checkOptions(options, names.watch));
  }

  /**
   * Gives up the history before a revision. Reads and watches from before it are `compacted` then, as is
   * giving up what is given up already.
   */
  async compact(revision: number, options: CompactOptions = {}): Promise<CompactResult> {
    return keys.compact(this.#requests, revision, checkOptions(options, names.compact));
  }

  /** A stream for many operations at the same time. Close it. */
  pipe(options: PipeOptions = {}): Pipe {
    return new Pipe(this.#requests, checkOptions(options, names.pipe));
  }

  /** Makes a lease, which somebody has to keep alive; `lease` does that by itself. */
  async grantLease(ttlSeconds: number, options: GrantOptions = {}): Promise<GrantResult> {
    return leases.grantLease(this.#requests, ttlSeconds, checkOptions(options, names.grant));
  }

  /** Gives a lease all of its time again. One that is gone is `lease_not_found`. */
  async keepLeaseAlive(lease: LeaseRef, options: CallOptions = {}): Promise<KeepAliveResult> {
    return leases.keepLeaseAlive(this.#requests, lease, options);
  }

  /** Ends a lease, and deletes its keys. That it is gone already is no error. */
  async revokeLease(lease: LeaseRef, options: CallOptions = {}): Promise<RevokeResult> {
    return leases.revokeLease(this.#requests, lease, options);
  }

  /** What is left of a lease and, with `returnKeys`, its keys. One that is gone is `lease_not_found`. */
  async getLease(lease: LeaseRef, options: LeaseOptions = {}): Promise<LeaseInfo> {
    return leases.getLease(this.#requests, lease, checkOptions(options, names.lease));
  }

  async listLeases(options: CallOptions = {}): Promise<LeasesResult> {
    return leases.listLeases(this.#requests, options);
  }

  /** Makes a lease that keeps itself alive until it is closed, and says when it is lost. */
  async lease(ttlSeconds: number, options: CallOptions = {}): Promise<Lease> {
    return Lease.grant(this.#requests, ttlSeconds, checkOptions(options, names.call));
  }

  /**
   * Waits for a lock, however long, behind those who asked before. Only one holds it at a time, as long as
   * it is not lost: look at `lost`, and give the `fencingToken` to whatever must not listen to two. The keys
   * that begin with the name and a slash belong to the lock.
   */
  async lock(name: string, options: LockOptions = {}): Promise<Lock> {
    return lock(this.#requests, name, checkOptions(options, names.lock));
  }

  /** Waits, however long, until it leads those who ask for the same name. The value is for others to read. */
  async elect(name: string, value: string | Uint8Array, options: LockOptions = {}): Promise<Leadership> {
    return elect(this.#requests, { name, value }, checkOptions(options, names.lock));
  }

  /** The key of who leads, or holds the lock, of that name; undefined if nobody does. */
  async leader(name: string, options: CallOptions = {}): Promise<KeyValue | undefined> {
    return headOf(this.#requests, name, options);
  }

  /** How the member is that answers. */
  async status(options: CallOptions = {}): Promise<MemberStatus> {
    return memberStatus(this.#requests, options);
  }

  /** How each member of the cluster is, as it says itself. */
  async statusOfAll(options: CallOptions = {}): Promise<readonly StatusReport[]> {
    const { members } = await this.members(options);
    return clusterStatus(this.#requests, members, options);
  }

  /** The cluster's members, as one of them knows them. */
  async members(options: CallOptions = {}): Promise<MembersResult> {
    return this.#requests.perform(
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
    return this.#requests.perform(
      { name: "check", effect: "none", isLong: true, call: async (calls, limits) => calls.check(limits) },
      options,
    );
  }

  /**
   * A backup of the cluster's state, as the bytes of a file, which is whole only if its checksums say so.
   * Resolves when the first bytes are here. The timeout counts until then, and after that from one piece to
   * the next. Reading may throw DkvClientError; what broke off begins anew.
   */
  async backup(given: BackupOptions = {}): Promise<AsyncGenerator<Uint8Array>> {
    const { serializable = false, ...options } = checkOptions(given, names.backup);
    const request = { serializable };
    const pieces = await this.#requests.perform(
      { name: "backup", effect: "none", call: async (calls, limits) => calls.backup(request, limits) },
      options,
    );
    const { timeoutMs = this.#requests.timeoutMs, signal } = options;
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
    return changeMembership(this.#requests, change, options);
  }
}
