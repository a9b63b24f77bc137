/** Which code does what: loaded when it is wanted, and for each command only its own. */
import type { CommandRequest } from "./command-line.ts";
import type { CommandName } from "./command-table.ts";
import type { CommandContext } from "./commands/command.ts";
import { parseDuration } from "./duration.ts";
import { usageError } from "./exit.ts";
import {
  checkSetFlags,
  countFlag,
  leaseFlag,
  newLeaseFlag,
  parseCount,
  parseLease,
  parseSeconds,
  secondsFlag,
  textFlag,
} from "./values.ts";

/** A command that needs a cluster. */
export interface ClusterRequest extends CommandRequest {
  readonly name: ClusterCommand;
}

type ClusterCommand = Exclude<CommandName, "completion" | "snapshot status">;
type Handler = (context: CommandContext, request: ClusterRequest) => Promise<void>;

export async function dispatch(request: ClusterRequest, context: CommandContext): Promise<void> {
  return handlers[request.name](context, request);
}

const operand = ({ operands }: CommandRequest, name: string): string => operands[name] ?? "";

const conditions = (request: CommandRequest) => ({
  ifVersion: countFlag(request, "if-version"),
  ifModRevision: countFlag(request, "if-rev"),
  returnPrevious: request.switches.has("previous"),
});

const longestWaitMs = 24 * 3_600_000;

/** How long to wait for a lock or an election. */
function waitOf(request: CommandRequest): number | undefined {
  const text = textFlag(request, "wait");
  if (text === undefined) return undefined;
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : parseDuration(text);
  if (waitMs !== undefined && waitMs <= longestWaitMs) return waitMs;
  throw usageError(`--wait ${text} is no duration up to 24h: write for example 5s, or 0s to try once`);
}

const lockOf = (request: CommandRequest) => ({
  name: operand(request, "NAME"),
  command: request.rest,
  ttlSeconds: secondsFlag(request, "ttl"),
  waitMs: waitOf(request),
});

const member = (request: CommandRequest) => ({
  id: operand(request, "ID"),
  address: operand(request, "ADDRESS"),
});

const permitted = (request: CommandRequest, key: string) => ({
  key,
  end: request.operands["END"],
  isPrefix: request.switches.has("prefix"),
  isFromKey: request.switches.has("from-key"),
});

const auth = async () => import("./commands/auth.ts");
const membership = async () => import("./commands/membership.ts");
const lease = async () => import("./commands/lease.ts");

const authHandlers = {
  "auth enable": async (context) => (await auth()).enable(context),
  "auth disable": async (context) => (await auth()).disable(context),
  "auth status": async (context) => (await auth()).status(context),
  "user add": async (context, request) => {
    const isKnownByCertificate = request.switches.has("no-password");
    return (await auth()).addUser(context, { user: operand(request, "USER"), isKnownByCertificate });
  },
  "user delete": async ({ client }, request) => client.auth.deleteUser(operand(request, "USER")),
  "user list": async (context) => {
    const { printNames } = await auth();
    return printNames(context, "users", await context.client.auth.listUsers());
  },
  "user get": async (context, request) => {
    const { printNames } = await auth();
    return printNames(context, "roles", await context.client.auth.rolesOf(operand(request, "USER")));
  },
  "user passwd": async (context, request) => (await auth()).changePassword(context, operand(request, "USER")),
  "user grant-role": async ({ client }, request) =>
    client.auth.grantRole(operand(request, "USER"), operand(request, "ROLE")),
  "user revoke-role": async ({ client }, request) =>
    client.auth.revokeRole(operand(request, "USER"), operand(request, "ROLE")),
  "role add": async ({ client }, request) => client.auth.addRole(operand(request, "ROLE")),
  "role delete": async ({ client }, request) => client.auth.deleteRole(operand(request, "ROLE")),
  "role list": async (context) => {
    const { printNames } = await auth();
    return printNames(context, "roles", await context.client.auth.listRoles());
  },
  "role get": async (context, request) => (await auth()).showRole(context, operand(request, "ROLE")),
  "role grant-permission": async ({ client }, request) => {
    const { kindOf, keysOf } = await auth();
    const [kind, keys] = [
      kindOf(operand(request, "KIND")),
      keysOf(permitted(request, operand(request, "KEY"))),
    ];
    return client.auth.grantPermission(operand(request, "ROLE"), { kind, keys });
  },
  "role revoke-permission": async ({ client }, request) => {
    const keys = (await auth()).keysOf(permitted(request, operand(request, "KEY")));
    return client.auth.revokePermission(operand(request, "ROLE"), keys);
  },
} satisfies Partial<Readonly<Record<ClusterCommand, Handler>>>;

const handlers: Readonly<Record<ClusterCommand, Handler>> = {
  get: async (context, request) => {
    const [key, { switches }] = [operand(request, "KEY"), request];
    const revision = countFlag(request, "rev");
    const options = { serializable: switches.has("serializable"), isMeta: switches.has("meta"), revision };
    const limit = countFlag(request, "limit");
    if (limit !== undefined && !switches.has("prefix")) throw usageError("--limit needs --prefix");
    const { get, getPrefix } = await import("./commands/get.ts");
    return (switches.has("prefix") ? getPrefix : get)(context, { key, ...options, limit });
  },
  set: async (context, request) => {
    checkSetFlags(request);
    const life = { ttlSeconds: secondsFlag(request, "ttl"), lease: leaseFlag(request, "lease") };
    const options = { ...conditions(request), ifAbsent: request.switches.has("if-absent"), ...life };
    const { set } = await import("./commands/set.ts");
    return set(context, { key: operand(request, "KEY"), value: operand(request, "VALUE"), options });
  },
  delete: async (context, request) => {
    const [key, options] = [operand(request, "KEY"), conditions(request)];
    const [isPrefix, isAll] = ["prefix", "all"].map((name) => request.switches.has(name));
    const { deleteKey, deletePrefix } = await import("./commands/delete.ts");
    if (isPrefix === true) return deletePrefix(context, { prefix: key, isAll: isAll === true, options });
    if (isAll === true) throw usageError('--all needs --prefix: write dkvctl delete --prefix "" --all');
    return deleteKey(context, { key, options });
  },
  list: async (context, request) => {
    const limit = countFlag(request, "limit");
    const revision = countFlag(request, "rev");
    const { list } = await import("./commands/list.ts");
    return list(context, {
      prefix: operand(request, "PREFIX"),
      isKeysOnly: request.switches.has("keys-only"),
      options: { limit, revision, serializable: request.switches.has("serializable") },
    });
  },
  watch: async (context, request) => {
    const key = operand(request, "KEY");
    const keys = request.switches.has("prefix") ? { prefix: key } : { key };
    const startRevision = countFlag(request, "rev");
    const command = textFlag(request, "exec");
    const { watch } = await import("./commands/watch.ts");
    return watch(context, { keys, startRevision, command, previous: request.switches.has("previous") });
  },
  txn: async (context, request) => {
    const { txn } = await import("./commands/txn.ts");
    return txn(context, request.operands["FILE"]);
  },
  import: async (context, request) => {
    const fromLine = countFlag(request, "from-line") ?? 1;
    const { importKeys } = await import("./commands/import.ts");
    return importKeys(context, { path: operand(request, "FILE"), fromLine });
  },
  export: async (context, request) => {
    const revision = countFlag(request, "rev");
    const { exportKeys } = await import("./commands/export.ts");
    const serializable = request.switches.has("serializable");
    return exportKeys(context, { prefix: operand(request, "PREFIX"), revision, serializable });
  },
  "lease grant": async (context, request) => {
    const ttlSeconds = parseSeconds("TTL", operand(request, "TTL"));
    return (await lease()).grant(context, { ttlSeconds, id: newLeaseFlag(request, "id") });
  },
  "lease keep-alive": async (context, request) => {
    const id = parseLease("LEASE", operand(request, "LEASE"));
    return (await lease()).keepAlive(context, { id, isOnce: request.switches.has("once") });
  },
  "lease revoke": async (context, request) =>
    (await lease()).revoke(context, parseLease("LEASE", operand(request, "LEASE"))),
  "lease ttl": async (context, request) => {
    const id = parseLease("LEASE", operand(request, "LEASE"));
    return (await lease()).timeToLive(context, { id, returnKeys: request.switches.has("keys") });
  },
  "lease list": async (context) => (await lease()).list(context),
  lock: async (context, request) => {
    const { lock } = await import("./commands/lock.ts");
    return lock(context, lockOf(request));
  },
  elect: async (context, request) => {
    const value = textFlag(request, "value");
    const { elect } = await import("./commands/lock.ts");
    return elect(context, { ...lockOf(request), value });
  },
  compact: async (context, request) => {
    const revision = parseCount("REVISION", operand(request, "REVISION"));
    const { compact } = await import("./commands/compact.ts");
    return compact(context, { revision, wait: request.switches.has("wait") });
  },
  status: async (context) => (await import("./commands/status.ts")).status(context),
  "member-list": async (context) => (await import("./commands/member-list.ts")).memberList(context),
  "member-join": async (context, request) => (await membership()).memberJoin(context, member(request)),
  "member-leave": async (context, request) => (await membership()).memberLeave(context, member(request)),
  "member-promote": async (context, request) => (await membership()).memberPromote(context, member(request)),
  "member-replace": async (context, request) => {
    const { address } = member(request);
    const place = { oldId: operand(request, "OLD"), id: operand(request, "NEW"), address };
    return (await membership()).memberReplace(context, place);
  },
  "member-update": async (context, request) => (await membership()).memberUpdate(context, member(request)),
  "move-leader": async (context, request) => (await membership()).moveLeader(context, member(request)),
  ...authHandlers,
  check: async (context) => (await import("./commands/check.ts")).check(context),
  "snapshot save": async (context, request) => {
    const { snapshotSave } = await import("./commands/snapshot-save.ts");
    return snapshotSave(context, {
      path: operand(request, "FILE"),
      force: request.switches.has("force"),
      serializable: request.switches.has("serializable"),
    });
  },
};
