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
    guard: `policy === "root" && !isRoot(auth, asker)`,
    instead: `policy === "root" && !isRoot(auth, asker) && auth.users.size === 0`,
    tests: every,
  },
  {
    does: "takes a token from before the last change of the rules",
    file: `${auth}/guard.ts`,
    guard: `authRevision < this.member.auth.revision`,
    instead: `authRevision < 0n`,
    tests: [`${tests}/etcd-auth.test.ts`],
  },
  {
    does: "remembers a password as right that was changed",
    file: `${auth}/guard.ts`,
    guard: ` && Buffer.compare(hash, proven) === 0`,
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
    guard: `    if (this.#rights.auth !== this.#allowedBy) this.#checkAll();\n`,
    tests: watches,
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
    guard: ` || !isSame(user.passwordHash, known.passwordHash)`,
    tests: tokens,
  },
  {
    does: "takes a JSON Web Token whose time is over",
    file: `${auth}/jwt-tokens.ts`,
    guard: `claims.expires * 1000 > this.#timeOfDay.nowMs()`,
    instead: `claims.expires * 1000 > 0`,
    tests: tokens,
  },
  {
    does: "serves the text protocol to a user that no certificate names",
    file: "packages/server/src/start/stream-listeners.ts",
    guard: `  return doors.of(commonNameOf(socket)).serve(socket);`,
    instead: `  return doors.of(commonNameOf(socket) ?? "root").serve(socket);`,
    tests: [`${tests}/certificates.test.ts`],
  },
];
