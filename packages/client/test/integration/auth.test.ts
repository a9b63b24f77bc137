/** Users and roles by dkv's own client, and by dkvctl, at a real member. */
import assert from "node:assert/strict";
import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { prepareCluster } from "@dkv/cluster";

import { DkvClientError } from "../../src/errors.ts";
import { client } from "../fixture.ts";

const dkvctl = fileURLToPath(new URL("../../../dkvctl/bin/dkvctl.js", import.meta.url));

async function started(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "dkv-users-"));
  const cluster = await prepareCluster({ directory, members: 1, flags: { "bcrypt-cost": "4" } });
  t.after(async () => {
    await Promise.all(cluster.members.map((member) => member.kill()));
    await rm(directory, { recursive: true, force: true });
  });
  await cluster.start();
  await cluster.waitForLeader();
  return cluster.members[0]?.clientAddress ?? "";
}

const refused = (code: string) => (error: unknown) => error instanceof DkvClientError && error.code === code;

test("a client does what its user may, and says why it may not do the rest", async (t) => {
  const endpoint = await started(t);
  const options = { endpoints: [endpoint] };
  const anybody = client(t, options);
  await assert.rejects(anybody.auth.enable(), refused("root_user_missing"));
  await anybody.auth.addUser("root", "secret");
  await assert.rejects(anybody.auth.addUser("root", "secret"), refused("user_exists"));
  await anybody.auth.addRole("root");
  await anybody.auth.grantRole("root", "root");
  await anybody.auth.enable();
  await assert.rejects(anybody.get("a"), refused("user_empty"));
  await assert.rejects(anybody.auth.status(), refused("user_empty"));
  const wrong = client(t, { ...options, user: { name: "root", password: "wrong" } });
  await assert.rejects(wrong.get("a"), refused("auth_failed"));

  const root = client(t, { ...options, user: { name: "root", password: "secret" } });
  await root.set("a/1", "1");
  await root.auth.addUser("ann", "p:w");
  await root.auth.addUser("cert", undefined);
  await root.auth.addRole("readers");
  await root.auth.grantPermission("readers", { kind: "read", keys: { prefix: "a/" } });
  await root.auth.grantPermission("readers", { kind: "readwrite", keys: { key: "b" } });
  await root.auth.grantPermission("readers", { kind: "write", keys: { from: "c" } });
  await root.auth.grantRole("ann", "readers");
  assert.deepEqual(await root.auth.listUsers(), ["ann", "cert", "root"]);
  assert.deepEqual(await root.auth.listRoles(), ["readers", "root"]);
  assert.deepEqual(await root.auth.rolesOf("ann"), ["readers"]);
  const text = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString();
  assert.deepEqual(
    (await root.auth.permissionsOf("readers")).map(({ kind, from, before }) => [
      kind,
      text(from),
      text(before),
    ]),
    [
      ["read", "a/", "a0"],
      ["readwrite", "b", "b\0"],
      ["write", "c", undefined],
    ],
  );

  const ann = client(t, { ...options, user: { name: "ann", password: "p:w" } });
  assert.equal(text((await ann.get("a/1"))?.value), "1");
  const pipe = ann.pipe();
  await pipe.set("b", "1");
  await assert.rejects(pipe.set("a/1", "2"), refused("permission_denied"));
  await assert.rejects(ann.set("a/1", "2"), refused("permission_denied"));
  await assert.rejects(ann.auth.listUsers(), refused("permission_denied"));
  const watch = ann.watch({ prefix: "a/" });
  await watch.open();
  await root.auth.revokePermission("readers", { prefix: "a/" });
  await root.set("a/1", "2");
  await assert.rejects(watch[Symbol.asyncIterator]().next(), refused("permission_denied"));
  await root.auth.changePassword("ann", "another");
  await assert.rejects(ann.get("b"), refused("auth_failed"));
  await root.auth.revokeRole("ann", "readers");
  await root.auth.deleteRole("readers");
  await root.auth.deleteUser("ann");
  await assert.rejects(root.auth.deleteUser("root"), refused("invalid_auth_management"));
  assert.equal((await root.auth.status()).isEnabled, true);
  await root.auth.disable();
  assert.equal(text((await anybody.get("a/1"))?.value), "2");
});

test("dkvctl adds users and roles, and asks for passwords without showing them", async (t) => {
  const endpoint = await started(t);
  const environment = { PATH: process.env["PATH"] ?? "", DKVCTL_ENDPOINT: endpoint };
  const run = async (words: readonly string[], input = "", more: Record<string, string> = {}) => {
    const running = promisify(execFile)(process.execPath, [dkvctl, ...words], {
      env: { ...environment, ...more },
    });
    running.child.stdin?.end(input);
    return running.then(
      ({ stdout }) => stdout,
      (error: unknown) => {
        assert.ok(error instanceof Error && "stderr" in error);
        return `failed: ${String(error.stderr)}`;
      },
    );
  };
  assert.match(
    await run(["auth", "enable"]),
    /root user does not exist: dkvctl user add root, dkvctl role add root and dkvctl user grant-role root root/,
  );
  assert.equal(await run(["user", "add", "root"], "secret\n"), "");
  assert.match(
    await run(["auth", "enable"]),
    /root user does not have root role: dkvctl user grant-role root root gives it, after dkvctl role add root/,
  );
  for (const words of [
    ["role", "add", "root"],
    ["user", "grant-role", "root", "root"],
    ["auth", "enable"],
  ])
    assert.equal(await run(words), "", words.join(" "));
  assert.match(
    await run(["get", "a"]),
    /authentication is enabled.*: give --user=NAME, or a client certificate/,
  );
  assert.match(await run(["get", "a", "--user=root"]), /no password for root, and nobody to ask for it/);
  assert.match(
    await run(["get", "a", "--user=root:wrong"]),
    /the name or the password is wrong: check --user/,
  );
  const as = { DKVCTL_USER: "root:secret" };
  const root = async (words: readonly string[], input = "") => run(words, input, as);
  assert.equal(await root(["auth", "status"]), "enabled\n");
  for (const words of [
    ["user", "delete", "root"],
    ["role", "delete", "root"],
    ["user", "revoke-role", "root", "root"],
  ])
    assert.match(
      await root(words),
      /invalid auth management: authentication is enabled, and needs the user root with the role root; dkvctl auth/,
    );
  assert.equal(await root(["user", "add", "ann:pw"]), "");
  assert.equal(await root(["user", "passwd", "ann:an:other"]), "");
  assert.match(await run(["user", "list", "--user=ann:an:other"]), /permission denied/);
  assert.equal(await root(["user", "passwd", "ann"], "other\n"), "");
  const empty = /the password is empty: write NAME:PASSWORD, or the password on standard input/;
  for (const words of [
    ["add", "bob"],
    ["add", "bob:"],
    ["passwd", "ann"],
    ["passwd", "ann:"],
  ])
    assert.match(await root(["user", ...words]), empty);
  assert.equal(await root(["user", "add", "cert", "--no-password"]), "");
  assert.equal(await root(["role", "add", "r"]), "");
  assert.equal(await root(["role", "grant-permission", "r", "read", "app/", "--prefix"]), "");
  assert.equal(await root(["role", "grant-permission", "r", "readwrite", "k"]), "");
  assert.equal(await root(["role", "grant-permission", "r", "write", "--from-key", "x"]), "");
  assert.match(await root(["role", "grant-permission", "r", "look", "k"]), /KIND is "look"/);
  assert.match(await root(["role", "grant-permission", "r", "read", "b", "a"]), /END is not behind KEY/);
  assert.match(
    await root(["role", "grant-permission", "r", "read", "b", "c", "--prefix"]),
    /exclude each other/,
  );
  assert.equal(await root(["role", "get", "r"]), "read app/ app0\nreadwrite k\nwrite x (end)\n");
  assert.equal(await root(["user", "grant-role", "ann", "r"]), "");
  assert.equal(await root(["user", "get", "ann"]), "r\n");
  assert.equal(await root(["user", "list", "-o", "json"]), '{"users":["ann","cert","root"]}\n');
  assert.equal(await run(["set", "k", "v", "--user=ann:other"]), "");
  assert.match(await run(["set", "j", "v", "--user=ann:other"]), /may not do this|has no role that permits/);
  assert.equal(await root(["role", "revoke-permission", "r", "k"]), "");
  assert.match(await run(["set", "k", "v", "--user=ann:other"]), /role/);
  assert.equal(await root(["user", "revoke-role", "ann", "r"]), "");
  assert.equal(await root(["role", "delete", "r"]), "");
  assert.equal(await root(["role", "list"]), "root\n");
  assert.equal(await root(["user", "delete", "ann"]), "");
  await t.test("at a terminal", { skip: spawnSync("script", ["--version"]).status !== 0 }, async () => {
    const command = `'${process.execPath}' '${dkvctl}' --user=root auth disable`;
    const child = spawn("script", ["-qec", command, "/dev/null"], { env: environment });
    let shown = "";
    let isAsked = false;
    child.stdout.on("data", (chunk: Buffer) => {
      shown += chunk.toString();
      if (isAsked || !shown.includes("Password of root: ")) return;
      isAsked = true;
      child.stdin.write("secrex\u007Ft\r");
    });
    const [code] = await once(child, "close");
    assert.equal(code, 0, shown);
    assert.equal(shown.includes("secret"), false);
  });
  assert.equal(await run(["set", "k", "w"]), "");
});
