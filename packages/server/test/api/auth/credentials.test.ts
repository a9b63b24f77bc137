import assert from "node:assert/strict";
import { Socket } from "node:net";
import { describe, it } from "node:test";
import { TLSSocket } from "node:tls";
import { authenticate } from "../../../src/api/auth/authenticate.ts";
import { commonNameOf, credentialsIn } from "../../../src/api/auth/credentials.ts";
import { createGuard, defaultGuardOptions } from "../../../src/api/auth/create-guard.ts";
import type { Guard } from "../../../src/api/auth/guard.ts";
import { policyOf } from "../../../src/api/auth/policies.ts";
import type { RequestFields } from "../../../src/api/request-fields.ts";
import { systemClock } from "../../../src/platform/clock.ts";
import { systemRandom } from "../../../src/platform/random.ts";
import { systemTimeOfDay } from "../../../src/platform/time-of-day.ts";
import { MemberInMemory } from "../member-in-memory.ts";
import { basic, change, enableRules, passwords } from "./rules.ts";

const fields = (header: Readonly<Record<string, string>>): RequestFields => ({
  get: (name) => header[name],
  connection: undefined,
});

describe("credentials", () => {
  it("are a token, as clients of etcd send it or as HTTP has it, or name and password", () => {
    const said = (header: Readonly<Record<string, string>>) => credentialsIn(fields(header));
    const token = { kind: "token", token: "abc" };
    assert.deepEqual(said({ token: "abc", authorization: "Basic eDp5" }), token);
    assert.deepEqual(said({ token: "Bearer abc" }), token);
    assert.deepEqual(said({ authorization: "abc" }), token);
    assert.deepEqual(said({ authorization: "Bearer abc" }), token);
    assert.deepEqual(said({ authorization: "bearer  abc" }), token);
    assert.deepEqual(said({ token: "", authorization: "" }), { kind: "none" });
    assert.deepEqual(said(basic("ann", "p:w")), { kind: "password", name: "ann", password: "p:w" });
    assert.deepEqual(said({ authorization: "Basic eA==" }), { kind: "password", name: "", password: "x" });
    assert.deepEqual(said({ authorization: "Basic " }), { kind: "password", name: "", password: "" });
  });
});

it("a connection that has ended names nobody any more", () => {
  const socket = new TLSSocket(new Socket());
  socket.authorized = true;
  socket.destroy();
  assert.equal(commonNameOf(socket), undefined);
});

describe("a guard", () => {
  async function openGuard(): Promise<{ member: MemberInMemory; guard: Guard }> {
    const member = new MemberInMemory();
    const world = { clock: systemClock, random: systemRandom, timeOfDay: systemTimeOfDay };
    const guard = createGuard(member, { ...defaultGuardOptions, bcryptCost: 4 }, world);
    await enableRules(member);
    return { member, guard };
  }

  const get = "/dkv.v1.DkvAPI/Get";

  it("remembers a password that was right, and not one that was changed", async () => {
    const { member, guard } = await openGuard();
    const asPoor = fields(basic("poor"));
    assert.equal((await guard.admit(get, asPoor))?.name, "poor");
    const before = passwordsChecked(guard);
    assert.equal((await guard.admit(get, asPoor))?.name, "poor");
    assert.equal(before(), 0);
    const passwordHash = await passwords.hashOf("another");
    await change(member, { case: "changePassword", value: { name: "poor", passwordHash } });
    await assert.rejects(async () => guard.admit(get, asPoor), { code: "authFailed" });
    assert.equal(before(), 1);
    assert.equal((await guard.admit(get, fields(basic("poor", "another"))))?.name, "poor");
    await change(member, { case: "deleteUser", value: { name: "poor" } });
    await assert.rejects(async () => guard.admit(get, fields(basic("poor", "another"))), {
      code: "authFailed",
    });
  });

  it("goes by no password that changes while it is looked at", async () => {
    const { member, guard } = await openGuard();
    const passwordHash = await passwords.hashOf("another");
    const changeMeanwhile = () =>
      oncePasswordIsChecked(guard, () =>
        change(member, { case: "changePassword", value: { name: "poor", passwordHash } }),
      );
    changeMeanwhile();
    await assert.rejects(async () => guard.admit(get, fields(basic("poor"))), { code: "invalidAuthToken" });
    await assert.rejects(async () => guard.admit(get, fields(basic("poor"))), { code: "authFailed" });
    const another = { name: "poor", password: "another" };
    changeMeanwhile();
    assert.notEqual(await authenticate(another, guard, undefined), "");
    oncePasswordIsChecked(guard, () => change(member, { case: "deleteUser", value: { name: "poor" } }));
    await assert.rejects(authenticate(another, guard, undefined), { code: "authFailed" });
  });

  it("lets nobody but root do what it does not know", async () => {
    const { guard } = await openGuard();
    assert.equal(policyOf("/some.NewService/Method"), "root");
    await assert.rejects(async () => guard.admit("/some.NewService/Method", fields(basic("poor"))), {
      code: "permissionDenied",
    });
    assert.equal((await guard.admit("/some.NewService/Method", fields(basic("root"))))?.name, "root");
  });
});

/** What happens after the next check, and before anybody knows what it has come to. */
function oncePasswordIsChecked(guard: Guard, event: () => Promise<void>): void {
  const { matches } = guard.passwords;
  Object.assign(guard.passwords, {
    matches: async (...given: Parameters<typeof matches>) => {
      Object.assign(guard.passwords, { matches });
      const isRight = await matches(...given);
      await event();
      return isRight;
    },
  });
}

/** Counts from now on. */
function passwordsChecked(guard: Guard): () => number {
  let count = 0;
  const { matches } = guard.passwords;
  Object.assign(guard.passwords, {
    matches: (...given: Parameters<typeof matches>) => {
      count += 1;
      return matches(...given);
    },
  });
  return () => count;
}
