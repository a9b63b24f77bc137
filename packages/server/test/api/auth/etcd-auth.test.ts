import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { Permission_Type as Type } from "@dkv/protocol/authpb/auth";
import { openClientPort } from "../client-port.ts";
import { bytes, refusalOf, textOf } from "../etcd-client.ts";
import { clientsOf, denied, logIn, openRuled } from "./etcd-users.ts";
import { addUser, allow } from "./rules.ts";

describe("etcd's Auth", () => {
  it("goes from no rules to rules and back, as etcd's guide does", async (t) => {
    const port = await openClientPort(t);
    const anybody = clientsOf(port);
    const { auth } = anybody;
    assert.equal(
      await refusalOf(auth.authEnable({})),
      "FailedPrecondition: etcdserver: root user does not exist",
    );
    await auth.userAdd({ name: "root", password: "secret" });
    assert.equal(
      await refusalOf(auth.authEnable({})),
      "FailedPrecondition: etcdserver: root user does not have root role",
    );
    await auth.roleAdd({ name: "root" });
    await auth.userGrantRole({ user: "root", role: "root" });
    assert.equal(
      await refusalOf(auth.authenticate({ name: "root", password: "secret" })),
      "FailedPrecondition: etcdserver: authentication is not enabled",
    );
    await auth.authEnable({});
    assert.equal(
      await refusalOf(anybody.kv.range({ key: bytes("k") })),
      "InvalidArgument: etcdserver: user name is empty",
    );
    const wrong = "InvalidArgument: etcdserver: authentication failed, invalid user ID or password";
    for (const [name, password] of [
      ["root", "wrong"],
      ["nobody", "secret"],
      ["", ""],
      ["root", ""],
    ] as const)
      assert.equal(await refusalOf(auth.authenticate({ name, password })), wrong, name);
    const { token, header } = await auth.authenticate({ name: "root", password: "secret" });
    assert.equal(header?.memberId, port.member.status().memberId);
    const root = clientsOf(port, { token });
    const status = await root.auth.authStatus({});
    assert.deepEqual([status.enabled, status.authRevision], [true, port.member.auth.revision]);
    await root.kv.put({ key: bytes("k"), value: bytes("v") });
    assert.equal(
      await refusalOf(root.auth.userDelete({ name: "root" })),
      "InvalidArgument: etcdserver: invalid auth management",
    );
    await root.auth.authDisable({});
    assert.equal((await anybody.kv.range({ key: bytes("k") })).count, 1n);
  });

  it("keeps users and roles, and says of each what there is to say", async (t) => {
    const port = await openRuled(t);
    const { auth } = await logIn(port, "root");
    await auth.userAdd({ name: "ann", password: "secret" });
    await auth.userAdd({ name: "cert", options: { noPassword: true } });
    await auth.roleAdd({ name: "readers" });
    const perm = { permType: Type.READ, key: bytes("a"), rangeEnd: bytes("b") };
    await auth.roleGrantPermission({ name: "readers", perm });
    await auth.userGrantRole({ user: "ann", role: "readers" });
    assert.deepEqual((await auth.userList({})).users, ["ann", "cert", "poor", "root"]);
    assert.deepEqual((await auth.roleList({})).roles, ["readers", "root"]);
    assert.deepEqual((await auth.userGet({ name: "ann" })).roles, ["readers"]);
    const [found] = (await auth.roleGet({ role: "readers" })).perm;
    assert.deepEqual(
      [found?.permType, textOf(found?.key ?? bytes("")), textOf(found?.rangeEnd ?? bytes(""))],
      [Type.READ, "a", "b"],
    );
    const [all] = (await auth.roleGet({ role: "root" })).perm;
    assert.deepEqual([all?.permType, all?.key.length, all?.rangeEnd], [Type.READWRITE, 0, Uint8Array.of(0)]);
    const refusals: readonly (readonly [Promise<unknown>, string])[] = [
      [
        auth.userAdd({ name: "ann", password: "x" }),
        "FailedPrecondition: etcdserver: user name already exists",
      ],
      [auth.userAdd({ name: "", password: "x" }), "InvalidArgument: etcdserver: user name is empty"],
      [auth.userGet({ name: "bob" }), "FailedPrecondition: etcdserver: user name not found"],
      [auth.userDelete({ name: "bob" }), "FailedPrecondition: etcdserver: user name not found"],
      [
        auth.userChangePassword({ name: "bob", password: "x" }),
        "FailedPrecondition: etcdserver: user name not found",
      ],
      [
        auth.userGrantRole({ user: "ann", role: "none" }),
        "FailedPrecondition: etcdserver: role name not found",
      ],
      [
        auth.userRevokeRole({ name: "poor", role: "readers" }),
        "FailedPrecondition: etcdserver: role is not granted to the user",
      ],
      [auth.roleAdd({ name: "readers" }), "FailedPrecondition: etcdserver: role name already exists"],
      [auth.roleAdd({ name: "" }), "InvalidArgument: etcdserver: role name is empty"],
      [auth.roleGet({ role: "none" }), "FailedPrecondition: etcdserver: role name not found"],
      [auth.roleDelete({ role: "none" }), "FailedPrecondition: etcdserver: role name not found"],
      [auth.roleDelete({ role: "root" }), "InvalidArgument: etcdserver: invalid auth management"],
      [auth.roleGrantPermission({ name: "readers" }), "InvalidArgument: etcdserver: permission not given"],
      [
        auth.roleGrantPermission({ name: "none", perm }),
        "FailedPrecondition: etcdserver: role name not found",
      ],
      [
        auth.roleRevokePermission({ role: "readers", key: bytes("x") }),
        "FailedPrecondition: etcdserver: permission is not granted to the role",
      ],
      [
        clientsOf(port).auth.authenticate({ name: "cert", password: "" }),
        "InvalidArgument: etcdserver: authentication failed, invalid user ID or password",
      ],
    ];
    const told = await Promise.all(refusals.map(([call]) => refusalOf(call)));
    assert.deepEqual(
      told,
      refusals.map(([, text]) => text),
    );
    await auth.roleRevokePermission({ role: "readers", key: perm.key, rangeEnd: perm.rangeEnd });
    await auth.userRevokeRole({ name: "ann", role: "readers" });
    await auth.roleDelete({ role: "readers" });
    await auth.userDelete({ name: "cert" });
    assert.deepEqual((await auth.userGet({ name: "ann" })).roles, []);
  });

  it("shows users themselves and their roles, and nothing of others", async (t) => {
    const port = await openRuled(t);
    await allow(port.member, "poor", { kind: "read", key: "a" });
    const { auth } = await logIn(port, "poor");
    assert.deepEqual((await auth.userGet({ name: "poor" })).roles, ["poor"]);
    assert.equal((await auth.roleGet({ role: "poor" })).perm.length, 1);
    const calls = [
      auth.userGet({ name: "root" }),
      auth.userGet({ name: "none" }),
      auth.roleGet({ role: "root" }),
      auth.roleGet({ role: "none" }),
    ];
    assert.deepEqual(
      await Promise.all(calls.map(refusalOf)),
      calls.map(() => denied),
    );
  });

  it("ends what was begun with a password when that changes, and keeps no password as it is", async (t) => {
    const port = await openRuled(t);
    const [root, poor] = [await logIn(port, "root"), await logIn(port, "poor", "authorization")];
    await poor.auth.userGet({ name: "poor" });
    await root.auth.userChangePassword({ name: "poor", password: "another" });
    assert.equal(
      await refusalOf(poor.auth.userGet({ name: "poor" })),
      "Unauthenticated: etcdserver: invalid auth token",
    );
    const kept = port.member.auth.users.get("poor")?.passwordHash ?? bytes("");
    assert.match(textOf(kept), /^\$2b\$04\$/);
    await root.auth.userChangePassword({ name: "poor", password: "" });
    const { auth } = clientsOf(port);
    for (const password of ["", "poor", "another"])
      assert.match(await refusalOf(auth.authenticate({ name: "poor", password })), /authentication failed/);
  });

  it("asks for a new JSON Web Token once a rule has changed", async (t) => {
    const directory = await mkdtemp("/tmp/dkv-jwt-");
    t.after(() => rm(directory, { recursive: true }));
    await writeFile(`${directory}/key`, "s".repeat(64));
    const token = {
      kind: "jwt",
      method: "HS256",
      publicKeyFile: undefined,
      privateKeyFile: `${directory}/key`,
      ttlMs: 60_000,
    } as const;
    const port = await openRuled(t, { guard: { bcryptCost: 4, token } });
    const root = await logIn(port, "root");
    await root.kv.put({ key: bytes("k") });
    await addUser(port.member, "ann");
    assert.equal(
      await refusalOf(root.kv.put({ key: bytes("k") })),
      "InvalidArgument: etcdserver: revision of auth store is old",
    );
    await (await logIn(port, "root")).kv.put({ key: bytes("k") });
  });
});
