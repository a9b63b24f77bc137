/**
 * A member as users see it, behind all doors. What doors look at before is not there: each of these holds by
 * itself, for a door that has no policy yet, and for calls that began under other rules. The tables name all
 * that a member does, or do not compile.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create } from "@bufbuild/protobuf";
import {
  AuthCommandSchema,
  GrantLeaseCommandSchema,
  RangeOperationSchema,
} from "@dkv/protocol/dkv/peer/v1/command";
import { intervalOf, plainSet } from "@dkv/store";
import type { Asker } from "../../../src/api/auth/asker.ts";
import { GuardedMember } from "../../../src/api/auth/guarded-member.ts";
import type { LeaseKeeper, Member } from "../../../src/consensus/member.ts";
import { DkvError } from "../../../src/platform/errors.ts";
import { MemberInMemory } from "../member-in-memory.ts";
import { allow, bytesOf, change, enableRules } from "./rules.ts";

/** What may be asked by whoever is known, by who may read or write the key `a`, and by root. */
type Needs = "user" | "read" | "write" | "root";
type Question = readonly [needs: Needs, ask: (view: Member) => unknown];

const key = bytesOf("a");
const lease = 7n;
const memberId = new MemberInMemory().status().memberId;
const enabling = create(AuthCommandSchema, { change: { case: "enable", value: {} } });
const watched = {
  interval: intervalOf(key, bytesOf("")),
  startRevision: 0,
  wantPrevious: false,
  wantSets: true,
  wantDeletes: true,
};

const ofLeases: Readonly<Record<keyof Omit<LeaseKeeper, "newId" | "leastTtl">, Question>> = {
  keepAlive: ["write", ({ leases }) => leases.keepAlive(lease)],
  timeOf: ["user", ({ leases }) => leases.timeOf(lease)],
  grantedTtl: ["user", ({ leases }) => leases.grantedTtl(lease)],
  list: ["read", ({ leases }) => leases.list()],
  keysOf: ["read", ({ leases }) => leases.keysOf(lease)],
};

const questions: Readonly<Record<keyof Omit<Member, "auth" | "status" | "leases">, Question>> = {
  watches: ["read", ({ watches }) => watches.open().create(1, watched)],
  propose: ["write", (view) => view.propose({ case: "set", value: plainSet(key, key) })],
  readBarrier: ["user", (view) => view.readBarrier()],
  get: ["read", (view) => view.get(key)],
  range: ["read", (view) => view.range(create(RangeOperationSchema, { key }))],
  details: ["user", (view) => view.details()],
  historyRemoved: ["user", (view) => view.historyRemoved()],
  members: ["user", (view) => view.members()],
  changeMembership: ["root", (view) => view.changeMembership({ kind: "leave", name: "two" })],
  moveLeader: ["root", (view) => view.moveLeader("one")],
  check: ["root", (view) => view.check()],
  alarms: ["user", (view) => view.alarms()],
  setNoSpace: ["root", (view) => view.setNoSpace(memberId, false)],
  hashHistory: ["root", (view) => view.hashHistory(0)],
  takeSnapshot: ["root", (view) => view.takeSnapshot()],
};

const all: readonly (readonly [name: string, question: Question])[] = [
  ...Object.entries(questions),
  ...Object.entries(ofLeases),
  ["propose what is about everybody", ["root", (view) => view.propose({ case: "auth", value: enabling })]],
  ["keysOf, of a lease without any", ["user", ({ leases }) => leases.keysOf(8n)]],
  ["keepAlive, of a lease without keys", ["user", ({ leases }) => leases.keepAlive(8n)]],
  ["watches.open", ["user", ({ watches }) => watches.open()]],
];

/** A member whose key `a` has a lease, with rules from then on. */
async function openRuled(): Promise<MemberInMemory> {
  const member = new MemberInMemory();
  const granted = create(GrantLeaseCommandSchema, { id: lease, ttl: 100n });
  await member.apply({ case: "grantLease", value: granted });
  await member.apply({ case: "set", value: { ...plainSet(key, key), lease } });
  await enableRules(member);
  return member;
}

function asker(member: MemberInMemory, name: string): Asker {
  const user = member.auth.users.get(name);
  assert.ok(user !== undefined);
  return user;
}

/** "done", or the code of the refusal. */
async function outcomeOf([, ask]: Question, view: Member): Promise<string> {
  try {
    await ask(view);
    return "done";
  } catch (error) {
    if (!(error instanceof DkvError)) throw error;
    return error.code;
  }
}

describe("a member as users see it", () => {
  for (const [name, question] of all)
    it(`${name}: does what needs ${question[0]} for whom that is permitted, and for nobody else`, async () => {
      const member = await openRuled();
      const as = (who: Asker | undefined): Promise<string> =>
        outcomeOf(question, new GuardedMember(member, who));
      const poor = asker(member, "poor");
      const certificate = (of: string): Asker => ({ name: of, passwordHash: undefined });
      assert.equal(await as(undefined), "userEmpty");
      assert.equal(await as(certificate("stranger")), "permissionDenied");
      assert.equal(await as({ ...poor, passwordHash: bytesOf("of another") }), "invalidAuthToken");
      const [needs] = question;
      assert.equal(await as(poor), needs === "user" ? "done" : "permissionDenied");
      for (const kind of ["read", "write", "both"] as const) {
        await allow(member, "poor", { kind, key: "a" });
        const isEnough = needs === "user" || needs === kind || (kind === "both" && needs !== "root");
        for (const who of [asker(member, "poor"), certificate("poor")])
          assert.equal(await as(who), isEnough ? "done" : "permissionDenied", kind);
      }
      assert.equal(await as(asker(member, "root")), "done");
      await change(member, { case: "disable", value: {} });
      assert.equal(await as(undefined), "done");
    });
});
