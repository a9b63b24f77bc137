/**
 * What users may do. The permissions of all of a user's roles are put together first: an interval is
 * permitted if they cover it without a gap, each of them a part of it perhaps.
 *
 *   read a ‥ c, read c ‥ f      permit to read b ‥ e, and not b ‥ g
 */
import { PermissionKind } from "@dkv/protocol/dkv/peer/v1/command";
import type { ByteString } from "../bytes.ts";
import { compareKeys } from "../overlay/sorted-keys.ts";
import { type Interval, intervalOf } from "../read/interval.ts";
import type { AuthRefusalReason } from "../results.ts";
import { type AuthState, type Caller, rootName } from "./auth-state.ts";

/** What somebody wants to do with the keys of an interval. */
export interface Need {
  readonly kind: "read" | "write";
  readonly interval: Interval;
}

/** What a user may do: intervals in their order, with gaps between them. */
type Permitted = Readonly<Record<Need["kind"], readonly Interval[]>>;

/** Of users that were asked about, until the rules change. */
const known = new WeakMap<AuthState, Map<string, Permitted>>();

/** Whether the user may do everything. */
export const isRoot = ({ users }: Pick<AuthState, "users">, user: string): boolean =>
  users.get(user)?.roles.includes(rootName) === true;

/** Whether the user may do that. Everybody may do everything while auth is disabled. */
export function permits(auth: AuthState, user: string, need: Need): boolean {
  if (!auth.isEnabled || isRoot(auth, user)) return true;
  return covers(permittedTo(auth, user)[need.kind], need.interval);
}

/**
 * Why a caller is refused; undefined if it may do all of that.
 *
 * @param caller undefined: nobody has said who asks
 * @param needs all of them; "root": only who may do everything
 */
export function authRefusal(
  auth: AuthState,
  caller: Caller | undefined,
  needs: readonly Need[] | "root",
): AuthRefusalReason | undefined {
  if (!auth.isEnabled) return undefined;
  if (caller === undefined || caller.user === "") return "userEmpty";
  if (caller.authRevision !== auth.revision) return "authRevisionOld";
  if (!auth.users.has(caller.user)) return "permissionDenied";
  if (isRoot(auth, caller.user)) return undefined;
  const isPermitted = needs !== "root" && needs.every((need) => permits(auth, caller.user, need));
  return isPermitted ? undefined : "permissionDenied";
}

function permittedTo(auth: AuthState, user: string): Permitted {
  const users = known.get(auth) ?? new Map<string, Permitted>();
  known.set(auth, users);
  const permitted = users.get(user) ?? collect(auth, user);
  // Of names that nobody has nothing is kept: there is no end of them.
  if (auth.users.has(user)) users.set(user, permitted);
  return permitted;
}

function collect({ users, roles }: AuthState, user: string): Permitted {
  const all = (users.get(user)?.roles ?? []).flatMap((name) => roles.get(name)?.permissions ?? []);
  const of = (kind: PermissionKind): readonly Interval[] =>
    merge(
      all
        .filter((one) => one.kind === kind || one.kind === PermissionKind.READWRITE)
        .map(({ key, rangeEnd }) => intervalOf(key, rangeEnd)),
    );
  return { read: of(PermissionKind.READ), write: of(PermissionKind.WRITE) };
}

/** Puts together what overlaps or touches. */
function merge(intervals: readonly Interval[]): readonly Interval[] {
  const merged: Interval[] = [];
  for (const next of [...intervals].sort((a, b) => compareKeys(a.from, b.from))) {
    const last = merged.at(-1);
    if (last === undefined || (last.before !== undefined && last.before < next.from)) merged.push(next);
    else merged[merged.length - 1] = { from: last.from, before: laterEnd(last.before, next.before) };
  }
  return merged;
}

function laterEnd(a: ByteString | undefined, b: ByteString | undefined): ByteString | undefined {
  if (a === undefined || b === undefined) return undefined;
  return a < b ? b : a;
}

function covers(permitted: readonly Interval[], { from: first, before }: Interval): boolean {
  // No key is empty: who asks for several may begin there, and a permission cannot.
  const isFromAll = first === "" && (before === undefined || before > "\0");
  const from = isFromAll ? "\0" : first;
  const within = lastBeginningAt(permitted, from);
  if (within === undefined) return false;
  if (within.before === undefined) return true;
  return from < within.before && before !== undefined && before <= within.before;
}

/** The last interval that does not begin behind a key. */
function lastBeginningAt(intervals: readonly Interval[], key: ByteString): Interval | undefined {
  let low = 0;
  let high = intervals.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((intervals[middle]?.from ?? "") <= key) low = middle + 1;
    else high = middle;
  }
  return intervals[low - 1];
}
