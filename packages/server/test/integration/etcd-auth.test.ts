/** Who may do what, by etcdctl at three members with TLS: etcd's own guide, step by step, then restarts and other leaders. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { createClient } from "@connectrpc/connect";
import type { Cluster, Member } from "@dkv/cluster";
import { DkvAPI } from "@dkv/protocol/dkv/v1/dkv";
import { Auth, KV } from "@dkv/protocol/etcdserverpb/rpc";
import { certificates, memberAt, runningCluster } from "./fixture.ts";
import { grpcTransport } from "./grpc-transport.ts";

const run = promisify(execFile);
const environment = { PATH: "/usr/bin:/bin", ETCDCTL_API: "3" };
const hasEtcdctl = await run("etcdctl", ["version"], { env: environment }).then(
  () => true,
  () => false,
);

interface Said {
  readonly out: string;
  /** The last line of what it complains about; empty if it does not. */
  readonly error: string;
}

/** What etcdctl says at one member. */
async function etcdctl(member: Member, words: readonly string[], user?: string): Promise<Said> {
  const ca = join(await certificates(), "ca.pem");
  const as = user === undefined ? [] : [`--user=${user}`];
  const all = [`--endpoints=https://${member.clientAddress}`, `--cacert=${ca}`, ...as, ...words];
  try {
    const { stdout } = await run("etcdctl", all, { env: environment });
    return { out: stdout.trim(), error: "" };
  } catch (error) {
    assert.ok(error instanceof Error && "stderr" in error && "stdout" in error);
    return { out: String(error.stdout).trim(), error: String(error.stderr).trim().split("\n").at(-1) ?? "" };
  }
}

/** Root with the password `secret`, and rules from then on. */
async function enableRules(member: Member): Promise<void> {
  for (const words of [
    ["user", "add", "root:secret"],
    ["role", "add", "root"],
    ["user", "grant-role", "root", "root"],
    ["auth", "enable"],
  ])
    assert.equal((await etcdctl(member, words)).error, "", words.join(" "));
}

const root = "root:secret";

describe("etcdctl at three members with rules, TLS", {
  skip: !hasEtcdctl && "etcdctl is not installed",
}, () => {
  it("walks through etcd's guide, each step at another member", async (test) => {
    const cluster = await runningCluster(test, "tls");
    let turn = 0;
    const next = (words: readonly string[], user?: string): Promise<Said> => {
      turn += 1;
      return etcdctl(memberAt(cluster, turn % 3), words, user);
    };
    assert.match((await next(["auth", "enable"])).error, /root user does not exist/);
    await enableRules(memberAt(cluster, 0));
    assert.match((await next(["put", "foo", "bar"])).error, /user name is empty/);
    assert.match((await next(["get", "foo"])).error, /user name is empty/);
    assert.match(
      (await next(["put", "foo", "bar"], "root:wrong")).error,
      /authentication failed, invalid user ID or password/,
    );
    const steps: readonly (readonly [words: readonly string[], user: string, out: RegExp])[] = [
      [["role", "add", "myrole"], root, /^Role myrole created$/],
      [["role", "grant-permission", "myrole", "read", "/foo"], root, /^Role myrole updated$/],
      [
        ["role", "grant-permission", "--prefix", "myrole", "readwrite", "/pub/"],
        root,
        /^Role myrole updated$/,
      ],
      [
        ["role", "get", "myrole"],
        root,
        /^Role myrole\nKV Read:\n\t\/foo\n\t\[\/pub\/, \/pub0\).*\nKV Write:\n\t\[\/pub\/, \/pub0\)/,
      ],
      [["user", "add", "myuser:pass"], root, /^User myuser created$/],
      [["user", "grant-role", "myuser", "myrole"], root, /^Role myrole is granted to user myuser$/],
      [["user", "get", "myuser"], root, /^User: myuser\nRoles: myrole$/],
      [["user", "list"], root, /^myuser\nroot$/],
      [["role", "list"], root, /^myrole\nroot$/],
      [["put", "/foo", "1"], root, /^OK$/],
      [["get", "/foo"], "myuser:pass", /^\/foo\n1$/],
      [["put", "/pub/a", "2"], "myuser:pass", /^OK$/],
      [["get", "--prefix", "/pub/"], "myuser:pass", /^\/pub\/a\n2$/],
      [["del", "/pub/a"], "myuser:pass", /^1$/],
      [["lease", "grant", "60"], "myuser:pass", /granted with TTL\(60s\)$/],
      [["member", "list"], "myuser:pass", /dkv-0/],
      [["endpoint", "status"], "myuser:pass", /, 3\.7\.0, /],
      [["user", "get", "myuser"], "myuser:pass", /^User: myuser/],
    ];
    for (const [words, user, out] of steps) {
      const said = await next(words, user);
      assert.equal(said.error, "", words.join(" "));
      assert.match(said.out, out);
    }
    for (const words of [
      ["put", "/foo", "2"],
      ["get", "--prefix", ""],
      ["del", "/foo"],
      ["compact", "2"],
      ["user", "list"],
      ["endpoint", "hashkv"],
      ["snapshot", "save", "/dev/null.part"],
      ["auth", "disable"],
    ])
      assert.match((await next(words, "myuser:pass")).error, /permission denied/, words.join(" "));
    const leader = await leaderOf(cluster);
    assert.match((await etcdctl(leader, ["move-leader", "1"], "myuser:pass")).error, /permission denied/);
    assert.equal((await next(["role", "revoke-permission", "myrole", "/foo"], root)).error, "");
    assert.match((await next(["get", "/foo"], "myuser:pass")).error, /permission denied/);
    assert.equal((await next(["user", "revoke-role", "myuser", "myrole"], root)).error, "");
    assert.match((await next(["put", "/pub/a", "3"], "myuser:pass")).error, /permission denied/);
    assert.equal((await next(["user", "delete", "myuser"], root)).error, "");
    assert.match((await next(["get", "/foo"], "myuser:pass")).error, /authentication failed/);
    assert.match((await next(["user", "delete", "root"], root)).error, /invalid auth management/);
    assert.equal((await next(["auth", "disable"], root)).out, "Authentication Disabled");
    await etcdctl(memberAt(cluster, 0), ["put", "/foo", "3"]);
    assert.equal((await next(["get", "/foo"])).out, "/foo\n3");
  });

  it("keeps the rules over a restart of all, and under another leader", async (test) => {
    const cluster = await runningCluster(test, "tls");
    await enableRules(memberAt(cluster, 0));
    await etcdctl(memberAt(cluster, 0), ["put", "a", "1"], root);
    await cluster.stop();
    await cluster.start();
    await refusedByAll(cluster);
    await eventually(cluster, ["get", "a"], "a\n1");
    const leader = await leaderOf(cluster);
    await leader.kill();
    const others = cluster.members.filter((member) => member !== leader);
    await eventually(cluster, ["put", "a", "2"], "OK");
    for (const member of others) {
      assert.match((await etcdctl(member, ["get", "a", "--consistency=s"])).error, /user name is empty/);
      assert.equal((await etcdctl(member, ["get", "a"], root)).out, "a\n2");
    }
  });

  it("takes a token on every member, and serves dkv's own clients by name and password", async (test) => {
    const cluster = await runningCluster(test, "tls");
    await enableRules(memberAt(cluster, 0));

    const ca = await readFile(join(await certificates(), "ca.pem"));

    const transports = cluster.members.map(({ clientAddress }) => grpcTransport(clientAddress, ca));
    for (const [at, transport] of transports.entries()) {
      const { token } = await createClient(Auth, transport).authenticate({
        name: "root",
        password: "secret",
      });
      for (const other of transports)
        await createClient(KV, other).put(
          { key: Uint8Array.of(97), value: Uint8Array.of(at) },
          { headers: { token } },
        );
      const authorization = `Basic ${Buffer.from(root).toString("base64")}`;
      const found = await createClient(DkvAPI, transport).get({ key: "a" }, { headers: { authorization } });
      assert.deepEqual(Buffer.from(found.value), Buffer.of(at));
    }
  });
});

/** What goes by whoever leads may have to wait for one. */
async function eventually(cluster: Cluster, words: readonly string[], out: string): Promise<void> {
  for (;;) {
    const member = cluster.members.find(({ isRunning }) => isRunning);
    assert.ok(member !== undefined);
    const said = await etcdctl(member, words, root);
    if (said.error === "") {
      assert.equal(said.out, out);
      return;
    }
    assert.match(said.error, /no leader|timed out|leader changed|deadline exceeded|unavailable/i);
  }
}

async function refusedByAll({ members }: Cluster): Promise<void> {
  for (const member of members)
    assert.match((await etcdctl(member, ["get", "a", "--consistency=s"])).error, /user name is empty/);
}

/** Who leads, as the members say themselves. */
async function leaderOf({ members }: Cluster): Promise<Member> {
  for (;;) {
    for (const member of members) {
      const { out } = await etcdctl(member, ["endpoint", "status"], root);
      if (out.split(", ")[4] === "true") return member;
    }
  }
}
