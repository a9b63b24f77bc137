/** Who asks, and what they may do: what stands around the doors, and around what those know of the member. */
import type { Mutant } from "../mutant.ts";

const tests = "packages/server/test/api/auth";
const every = [`${tests}/every-door.test.ts`, `${tests}/*.test.ts`];
const permissions = [`${tests}/permissions.test.ts`, `${tests}/dkv-doors.test.ts`, `${tests}/*.test.ts`];
const watches = [`${tests}/watches.test.ts`, `${tests}/dkv-doors.test.ts`];
const tokens = [`${tests}/tokens.test.ts`, `${tests}/etcd-auth.test.ts`];
const auth = "packages/server/src/api/auth";

export const guardMutants: readonly Mutant[] = [
  {
    does: "lets the fast path answer whoever asks",
    file: `${auth}/guarded-door.ts`,
    guard: `      const asker = admitted(guard, path, fields);\n`,
    instead: `      const asker = undefined as unknown as ReturnType<typeof admitted>;\n`,
    tests: every,
  },
  {
    does: "lets Connect answer whoever asks",
    file: `${auth}/guarded-door.ts`,
    guard: `    const asker = await guard.admit(path, fieldsOf(context));\n`,
    instead: `    const asker = fieldsOf(context) === undefined ? await guard.admit(path, fieldsOf(context)) : undefined;\n`,
    tests: every,
  },
  {
    does: "lets users do what is for root",
    file: `${auth}/guard.ts`,
    guard: `if (policy === "root") rights.needRoot();`,
    instead: `if (policy === "root") rights.needUser();`,
    tests: every,
  },
  {
    does: "takes a token from before the last change of the rules",
    file: `${auth}/guard.ts`,
    guard: `holder.authRevision < auth.revision`,
    instead: `holder.authRevision < 0n`,
    tests: [`${tests}/etcd-auth.test.ts`],
  },
  {
    does: "remembers a password as right that was changed",
    file: `${auth}/guard.ts`,
    guard: ` && isSameHash(passwordHash, proven)`,
    tests: [`${tests}/credentials.test.ts`],
  },
  {
    does: "reads a key for whoever asks",
    file: `${auth}/guarded-member.ts`,
    guard: `    if (!this.#rights.areFree) this.#rights.need("read", intervalOf(key, oneKey));\n`,
    tests: permissions,
  },
  {
    does: "reads an interval for whoever asks",
    file: `${auth}/guarded-member.ts`,
    guard: `    if (!this.#rights.areFree) this.#rights.need("read", intervalOf(operation.key, operation.rangeEnd));\n`,
    tests: permissions,
  },
  {
    does: "gives up a write when the rules change while it is under way",
    file: `${auth}/guarded-member.ts`,
    guard: `if (!isOld || attempt === mostAttempts) throw error;`,
    instead: `if (!isOld || attempt >= 1) throw error;`,
    tests: permissions,
  },
  {
    does: "begins a watch of keys that may not be read",
    file: `${auth}/guarded-watches.ts`,
    guard: `    this.#rights.need("read", spec.interval);\n`,
    tests: watches,
  },
  {
    does: "tells a watch what its user may not read any more",
    file: `${auth}/guarded-watches.ts`,
    guard: `    const forbidden = this.#endForbidden();\n`,
    instead: `    const forbidden: readonly WatchMessage[] = [];\n`,
    tests: watches,
  },
  {
    does: "ends all watches of a stream for one that is refused",
    file: "packages/server/src/api/etcd-v3/watch-call.ts",
    guard: `code !== undefined && refusedAlone.has(code)`,
    instead: `code === "permissionDenied"`,
    tests: watches,
  },
  {
    does: "goes on for whoever knows an old password",
    file: `${auth}/rights.ts`,
    guard: `!isStill(asker, user)`,
    instead: `user.name !== asker.name`,
    tests: [`${tests}/guarded-member.test.ts`],
  },
  {
    does: "goes by a password that changes while it is looked at",
    file: `${auth}/guard.ts`,
    guard: `    remember(this.#proven, proof, passwordHash);
    return { name, passwordHash };
`,
    instead: `    remember(this.#proven, proof, passwordHash);
    return { name, passwordHash: undefined };
`,
    tests: [`${tests}/credentials.test.ts`],
  },
  {
    does: "serves who has a new password by what was made for the old one",
    file: `${auth}/per-asker.ts`,
    guard: ` && isSame(known.asker, asker)`,
    tests: [`${tests}/dkv-doors.test.ts`],
  },
  {
    does: "gives the whole state to whoever asks",
    file: `${auth}/guarded-member.ts`,
    guard: `    this.#rights.needRoot();\n    return this.#member.takeSnapshot();`,
    instead: `    return this.#member.takeSnapshot();`,
    tests: [`${tests}/guarded-member.test.ts`],
  },
  {
    does: "lets anybody change who belongs to the cluster",
    file: `${auth}/guarded-member.ts`,
    guard: `    this.#rights.needRoot();\n    return this.#member.changeMembership(change, timeoutMs);`,
    instead: `    return this.#member.changeMembership(change, timeoutMs);`,
    tests: [`${tests}/guarded-member.test.ts`],
  },
  {
    does: "reads a page of a list by the rules that a member knew once",
    file: "packages/server/src/api/dkv-v1/list-service.ts",
    guard: `request.serializable || !this.#member.auth.isEnabled`,
    instead: `true`,
    tests: [`${tests}/dkv-doors.test.ts`],
  },
  {
    does: "keeps from users what etcd tells all of them",
    file: `${auth}/policies.ts`,
    guard: `  status: "user",`,
    instead: `  status: "root",`,
    tests: every,
  },
  {
    does: "keeps a lease alive whose keys may not be written",
    file: `${auth}/guarded-leases.ts`,
    guard: `this.#rights.needKeys("write", await this.#leases.keysOf(id));`,
    instead: `await this.#leases.keysOf(id);`,
    tests: permissions,
  },
  {
    does: "tells the keys of a lease to whoever asks",
    file: `${auth}/guarded-leases.ts`,
    guard: `    this.#rights.needKeys("read", keys);\n`,
    tests: permissions,
  },
  {
    does: "takes a simple token without looking at its seal",
    file: `${auth}/simple-tokens.ts`,
    guard: `given.length !== expected.length || !timingSafeEqual(given, expected)`,
    instead: `given.length !== expected.length || !timingSafeEqual(expected, expected)`,
    tests: tokens,
  },
  {
    does: "takes a simple token after a change of the password",
    file: `${auth}/simple-tokens.ts`,
    guard: ` ||\n      !isSameHash(user.passwordHash, known.passwordHash)`,
    tests: tokens,
  },
  {
    does: "takes a JSON Web Token whose time is over",
    file: `${auth}/jwt-tokens.ts`,
    guard: `seconds >= claims.expires`,
    instead: `seconds < 0`,
    tests: tokens,
  },
  {
    does: "takes a JSON Web Token before its time",
    file: `${auth}/jwt-tokens.ts`,
    guard: `seconds >= claims.begins && `,
    tests: tokens,
  },
  {
    does: "serves the text protocol to a user that no certificate names",
    file: "packages/server/src/start/stream-listeners.ts",
    guard: `  const name = commonNameOf(socket);`,
    instead: `  const name = commonNameOf(socket) ?? "root";`,
    tests: [`${tests}/certificates.test.ts`],
  },
];
