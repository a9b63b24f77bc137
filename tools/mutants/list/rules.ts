/** Who may do what, as it is decided where a command is applied. */
import type { Mutant } from "../mutant.ts";

const auth = "packages/store/src/auth";
const consensus = "packages/server/src/consensus";

const stories = [
  "packages/store/test/stories/auth-access.test.ts",
  "packages/store/test/stories/auth-changes.test.ts",
  "packages/store/test/auth/*.test.ts",
];
const clusters = ["packages/server/test/consensus/auth/*.test.ts"];

const applying: readonly Mutant[] = [
  {
    does: "does for anybody what anybody asks for",
    file: "packages/store/src/store.ts",
    guard: "      if (state.auth.isEnabled) checkOrigin(state, command, prepared);\n",
    tests: stories,
  },
  {
    does: "reads the disk for who may not have it",
    file: "packages/store/src/store.ts",
    guard: "    if (auth.isEnabled && isRefused(auth, command)) return undefined;\n",
    tests: stories,
  },
  {
    does: "asks nobody who does not say who it is",
    file: `${auth}/permissions.ts`,
    guard: `  if (caller === undefined || caller.user === "") return "userEmpty";`,
    instead: "  if (caller === undefined) return undefined;",
    tests: stories,
  },
  {
    does: "goes by what somebody was permitted once",
    file: `${auth}/permissions.ts`,
    guard: `  if (caller.authRevision !== auth.revision) return "authRevisionOld";\n`,
    tests: stories,
  },
  {
    does: "lets anybody grant a lease who has any name",
    file: `${auth}/permissions.ts`,
    guard: `  if (!auth.users.has(caller.user)) return "permissionDenied";\n`,
    tests: stories,
  },
  {
    does: "lets everybody change the rules",
    file: `${auth}/access.ts`,
    guard: `      return { needs: "root", leases: [] };`,
    instead: "      return { needs: [], leases: [] };",
    tests: stories,
  },
  {
    does: "lets anybody end any lease",
    file: `${auth}/check-origin.ts`,
    guard: "    if (refused !== undefined) throw new Refusal(refused);\n",
    tests: stories,
  },
  {
    does: "forgets the rules when it starts",
    file: "packages/store/src/state.ts",
    guard: "    this.#auth = readAuth(scanner);",
    instead: "    this.#auth = { isEnabled: false, revision: 1n, users: new Map(), roles: new Map() };",
    tests: ["packages/store/test/auth/auth-record.test.ts"],
  },
  {
    does: "passes over a change of rules that a newer version alone knows",
    file: "packages/store/src/command.ts",
    guard: `  if (operation.case === "auth") return operation.value.change.case !== undefined;\n`,
    tests: ["packages/store/test/command.test.ts"],
  },
];

const access: readonly Mutant[] = [
  {
    does: "lets a transaction compare what its caller may not read",
    file: `${auth}/access.ts`,
    guard: "    for (const compare of compares) this.#read(compare);\n",
    tests: stories,
  },
  {
    does: "does not look at what a transaction may do otherwise",
    file: `${auth}/access.ts`,
    guard: "    for (const { operation } of failure) this.add(operation);\n",
    tests: stories,
  },
  {
    does: "tells what a key was to who may only write it",
    file: `${auth}/access.ts`,
    guard: "    if (wantPrevious) this.#read(named);\n",
    tests: stories,
  },
  {
    does: "tells what deleted keys were to who may only write them",
    file: `${auth}/access.ts`,
    guard: "        if (operation.value.wantPrevious) this.#read(operation.value);\n",
    tests: stories,
  },
  {
    does: "tells by a set on a condition whether a key is so to who may only write it",
    file: `${auth}/access.ts`,
    guard: "{ ...operation.value, wantPrevious: true, keepLease: false }",
    instead: "{ ...operation.value, wantPrevious: false, keepLease: false }",
    tests: stories,
  },
  {
    does: "lets a key be set with a lease of others",
    file: `${auth}/access.ts`,
    guard: "    if (lease !== noLease && grantTtl === 0n && !keepLease) this.leases.push(lease);\n",
    tests: stories,
  },
  {
    does: "permits to write what may be read",
    file: `${auth}/permissions.ts`,
    guard: "one.kind === kind || one.kind === PermissionKind.READWRITE",
    instead: "one.kind !== PermissionKind.UNSPECIFIED",
    tests: stories,
  },
  {
    does: "permits what lies in a gap between two permissions",
    file: `${auth}/permissions.ts`,
    guard: "last === undefined || (last.before !== undefined && last.before < next.from)",
    instead: "last === undefined",
    tests: stories,
  },
  {
    does: "has an interval end where the last one within it does",
    file: `${auth}/permissions.ts`,
    guard: "  return a < b ? b : a;\n",
    instead: "  return b;\n",
    tests: stories,
  },
  {
    does: "permits an interval that goes on behind its permission",
    file: `${auth}/permissions.ts`,
    guard: "return from < within.before && before !== undefined && before <= within.before;",
    instead: "return from < within.before;",
    tests: stories,
  },
  {
    does: "permits an interval that lies behind its permission and has no keys",
    file: `${auth}/permissions.ts`,
    guard: "return from < within.before && before !== undefined && before <= within.before;",
    instead: "return before !== undefined && before <= within.before;",
    tests: stories,
  },
  {
    does: "permits the empty key to who may have all",
    file: `${auth}/permissions.ts`,
    guard: ` && (before === undefined || before > "\\0");`,
    instead: ";",
    tests: stories,
  },
];

const changes: readonly Mutant[] = [
  {
    does: "enables rules that nobody could change",
    file: `${auth}/change-auth.ts`,
    guard: `  if (!isRoot(auth, rootName)) throw new Refusal("rootRoleMissing");\n`,
    tests: stories,
  },
  {
    does: "lets the user root go that alone can change the rules",
    file: `${auth}/change-auth.ts`,
    guard: `  if (auth.isEnabled && name === rootName) throw new Refusal("invalidAuthManagement");\n  userNamed`,
    instead: "  userNamed",
    tests: stories,
  },
  {
    does: "lets the role root go that alone can change the rules",
    file: `${auth}/change-auth.ts`,
    guard: `  if (auth.isEnabled && name === rootName) throw new Refusal("invalidAuthManagement");\n  roleNamed`,
    instead: "  roleNamed",
    tests: stories,
  },
  {
    does: "takes the role root from root",
    file: `${auth}/change-auth.ts`,
    guard: `  if (auth.isEnabled && name === rootName && role === rootName) throw new Refusal("invalidAuthManagement");\n`,
    tests: stories,
  },
  {
    does: "leaves a deleted role with those who had it",
    file: `${auth}/change-auth.ts`,
    guard: "user.roles.includes(name) ? withoutRole(user, name) : user",
    instead: "user",
    tests: stories,
  },
  {
    does: "keeps the old permission beside the one that takes its place",
    file: `${auth}/change-auth.ts`,
    guard: "role.permissions.filter((one) => comparePermissions(one, granted) !== 0)",
    instead: "role.permissions",
    tests: stories,
  },
  {
    does: "grants permissions for what is no interval",
    file: `${auth}/change-auth.ts`,
    guard: `  if (!isInterval(key, rangeEnd)) throw new Refusal("invalidAuthManagement");\n`,
    tests: stories,
  },
  {
    does: "grants permissions of no kind",
    file: `${auth}/change-auth.ts`,
    guard: `  if (kind < PermissionKind.READ || kind > PermissionKind.READWRITE) throw new Refusal("permissionNotGiven");\n`,
    tests: stories,
  },
  {
    does: "gives a password to who is never to have one",
    file: `${auth}/change-auth.ts`,
    guard: "  noPassword ? new Uint8Array() : Uint8Array.from(passwordHash);",
    instead: "  noPassword ? passwordHash : Uint8Array.from(passwordHash);",
    tests: stories,
  },
  {
    does: "does not count changes of the rules",
    file: `${auth}/change-auth.ts`,
    guard: "{ ...changed, revision: auth.revision + 1n }",
    instead: "changed",
    tests: stories,
  },
  {
    does: "stores rules that are as large as they like",
    file: `${auth}/auth-record.ts`,
    guard: `  if (content.length > mostAuthBytes) throw new Refusal("authTooLarge");\n`,
    tests: stories,
  },
  {
    does: "passes over what a newer version has written of the rules",
    file: `${auth}/auth-record.ts`,
    guard: " || Buffer.compare(contentOf(auth), content) !== 0",
    tests: stories,
  },
  {
    does: "goes by stored rules in no order",
    file: `${auth}/auth-record.ts`,
    guard: "!areOrdered || ",
    tests: stories,
  },
  {
    does: "goes by stored permissions of no kind",
    file: `${auth}/auth-record.ts`,
    guard: "!hasKnownKinds(auth) || ",
    tests: stories,
  },
];

const cluster: readonly Mutant[] = [
  {
    does: "has a leader ask without saying that it is one who asks",
    file: `${consensus}/own-log.ts`,
    guard: `sequence }, operation, "member");`,
    instead: "sequence }, operation);",
    tests: clusters,
  },
  {
    does: "has a member ask without saying that it is one who asks",
    file: `${consensus}/commands.ts`,
    guard: `this.#propose(operation, timeoutMs, "member")`,
    instead: "this.#propose(operation, timeoutMs, undefined)",
    tests: clusters,
  },
  {
    does: "forgets on whose behalf a command is",
    file: `${consensus}/commands.ts`,
    guard: "this.#propose(operation, timeoutMs, caller)",
    instead: "this.#propose(operation, timeoutMs, undefined)",
    tests: clusters,
  },
];

export const ruleMutants: readonly Mutant[] = [...applying, ...access, ...changes, ...cluster];
