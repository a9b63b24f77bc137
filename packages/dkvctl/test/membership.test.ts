import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import { Code } from "@connectrpc/connect";
import { createAuthority, issueCertificate } from "@dkv/certificates";
import { Retry } from "@dkv/protocol/dkv/v1/dkv";

import { refusal, ScriptedMember, type ScriptedMemberOptions } from "../../client/test/scripted-member.ts";
import { run } from "../src/run.ts";
import { dkvctl, type Ending, unusedIo } from "./dkvctl.ts";

async function member(t: TestContext, options?: ScriptedMemberOptions): Promise<ScriptedMember> {
  const started = await ScriptedMember.start(options);
  t.after(() => started.stop());
  return started;
}

/** Runs a command against one member. */
async function at({ endpoint }: ScriptedMember, ...words: readonly string[]): Promise<Ending> {
  return dkvctl([`--endpoint=${endpoint}`, ...words]);
}

const silence = { code: 0, stdout: "", stderr: "" };
const brief = ({ code, stdout, stderr }: Ending) => ({ code, stdout, stderr });

/** What a person at a terminal sees. */
async function atTerminal(
  { endpoint }: ScriptedMember,
  ...words: readonly string[]
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const seen = { stdout: "", stderr: "" };
  await run({
    words: [`--endpoint=${endpoint}`, ...words],
    environment: {},
    io: {
      printsToTerminal: true,
      explainsToTerminal: true,
      ...unusedIo,
      print: (text) => {
        seen.stdout += Buffer.from(text).toString();
        return Promise.resolve();
      },
      explain: (text) => {
        seen.stderr += text;
      },
      interruptible: (work) => work(new AbortController().signal),
    },
  });
  return seen;
}

/** A leader that knows everything, and a newcomer that was never heard. */
const servers: ScriptedMember["servers"] = [
  {
    id: "dkv-0",
    raftAddress: "localhost:2380",
    // Where nobody listens: a change is sent to the leader.
    rpcAddress: "localhost:1",
    isLeader: true,
    isReachable: true,
    memberId: 2n ** 63n,
    match: 1234n,
    lag: 0n,
    version: "0.1.0",
    lastContactMs: 0n,
  },
  { id: "drei", raftAddress: "a.example:2381", memberId: 0xabcn, isLearner: true, isCorrupt: true },
];

const says = (line: string) => ({ ...silence, stdout: `${line}\n` });

test("changes of the membership are done, and say in one line what is so now", async (t) => {
  const only = await member(t);
  const listed = () => only.servers.map(({ id, raftAddress, isLearner }) => [id, raftAddress, isLearner]);
  only.servers = [{ id: "dkv-0", raftAddress: "localhost:2380", memberId: 1n }];
  assert.deepEqual(
    brief(await at(only, "member-join", "dkv-3", "localhost:2383")),
    says(
      "dkv-3 is a learner at localhost:2383; start it with an EMPTY data directory: npx dkv --name=dkv-3 " +
        "--data-dir=dkv-3 --initial-cluster-state=existing " +
        "--initial-cluster=dkv-0=localhost:2380,dkv-3=localhost:2383 --listen-peer-address=localhost:2383 " +
        "--listen-client-address=HOST:PORT",
    ),
  );
  assert.deepEqual(listed().at(-1), ["dkv-3", "localhost:2383", true]);
  assert.deepEqual(brief(await at(only, "member-promote", "dkv-3")), says("dkv-3 is a voter"));
  assert.deepEqual(
    brief(await at(only, "member-update", "dkv-3", "localhost:2384")),
    says("dkv-3 is looked for at localhost:2384; restart it there"),
  );
  assert.deepEqual(listed().at(-1), ["dkv-3", "localhost:2384", false]);
  assert.deepEqual(brief(await at(only, "move-leader", "dkv-3")), says("dkv-3 leads"));
  assert.equal(only.leader, "dkv-3");
  assert.deepEqual(brief(await at(only, "member-leave", "dkv-3")), says("dkv-3 left"));
  assert.deepEqual(listed(), [["dkv-0", "localhost:2380", undefined]]);
});

test("a replacement says whose place is taken, and never to ask the one that is lost", async (t) => {
  const only = await member(t);
  only.servers = servers;
  assert.deepEqual(
    brief(await at(only, "member-replace", "drei", "dkv-4", "a.example:2381")),
    says(
      "dkv-4 is a learner at a.example:2381 and takes the place of drei once it has caught up; start it with " +
        "an EMPTY data directory: npx dkv --name=dkv-4 --data-dir=dkv-4 --initial-cluster-state=existing " +
        "--initial-cluster=dkv-0=localhost:2380,dkv-4=a.example:2381 --listen-peer-address=a.example:2381 " +
        "--listen-client-address=HOST:PORT",
    ),
  );
  only.servers = [{ id: "drei", raftAddress: "a.example:2381", memberId: 3n }];
  const same = await at(only, "member-replace", "drei", "drei", "b.example:2381");
  assert.match(same.stdout, /^drei is a learner at b\.example:2381 and takes the place of drei once/);
  // One that was asked and has not heard of the new one knows only the old one, a voter.
  only.script = ({ method }) => {
    if (method === "getServers") only.servers = [{ id: "drei", raftAddress: "a.example:2381", memberId: 3n }];
  };
  const unheard = await at(only, "member-replace", "drei", "drei", "b.example:2381");
  assert.match(unheard.stdout, /^drei is a member at b\.example:2381 and takes the place of drei once/);
});

test("a member that was added before is told as it is, and not to be started again", async (t) => {
  const only = await member(t, {
    script: ({ method }) => {
      if (method === "getServers")
        only.servers = [{ id: "dkv-3", raftAddress: "localhost:2383", isLearner: false }];
    },
  });
  assert.deepEqual(
    brief(await at(only, "member-join", "dkv-3", "localhost:2383")),
    says("dkv-3 is a voter at localhost:2383"),
  );
});

test("a change as value prints nothing", async (t) => {
  const only = await member(t);
  only.servers = servers;
  for (const words of [
    ["member-join", "dkv-3", "localhost:2383"],
    ["member-replace", "drei", "dkv-4", "localhost:2384"],
    ["member-leave", "dkv-3"],
  ])
    assert.deepEqual(brief(await at(only, ...words, "-o", "value")), silence);
});

test("a change says as json or table what it was about, and where it was answered", async (t) => {
  const only = await member(t);
  only.leader = "dkv-0";
  const { stdout } = await at(only, "member-join", "dkv-3", "localhost:2383", "-o", "json");
  assert.deepEqual(JSON.parse(stdout), {
    id: "dkv-3",
    header: {
      cluster_id: "18446744073709551601",
      member_id: "7",
      leader: "dkv-0",
      term: 2,
      applied_index: 12,
      revision: 9,
    },
  });
  assert.equal(
    (await at(only, "move-leader", "dkv-3", "-o", "table")).stdout,
    "ID\t| Leader\t| Term\ndkv-3\t| dkv-3\t| 2\n",
  );
});

test("member-list has the columns of old first, and unknown ones are empty", async (t) => {
  const only = await member(t);
  only.servers = servers;
  assert.deepEqual(brief(await at(only, "member-list")), {
    ...silence,
    stdout:
      "ID\t| Raft Address\t| RPC Address\t| Leader\t| Reachable\t| Role\t| Match\t| Lag\t| Version\t| Last Contact\t| Member ID\t| Alarm\t| Replaces\n" +
      "dkv-0\t| localhost:2380\t| localhost:1\t| true\t| true\t| voter\t| 1234\t| 0\t| 0.1.0\t| 0ms\t| 8000000000000000\t| \t| \n" +
      "drei\t| a.example:2381\t| \t| false\t| false\t| learner\t| \t| \t| \t| \t| 0000000000000abc\t| corrupt\t| \n",
  });
  assert.equal((await at(only, "member-list", "-o", "value")).stdout, "dkv-0\ndrei\n");
});

test("member-list says whose place a member is to take, and of two with one name which one's", async (t) => {
  const only = await member(t);
  const replacedBy = async (...more: typeof servers): Promise<string> => {
    only.servers = [...servers, ...more];
    const { stdout } = await at(only, "member-list");
    return stdout.split("\n").at(-2)?.split("\t| ").at(-1) ?? "";
  };
  assert.equal(await replacedBy({ id: "vier", memberId: 4n, replaces: 0xabcn }), "drei");
  assert.equal(await replacedBy({ id: "drei", memberId: 4n, replaces: 0xabcn }), "drei (0000000000000abc)");
  assert.equal(await replacedBy({ id: "vier", memberId: 4n, replaces: 0xdefn }), "0000000000000def");
});

test("member-list has its columns under each other at a terminal", async (t) => {
  const only = await member(t);
  only.servers = servers;
  assert.equal(
    (await atTerminal(only, "member-list")).stdout,
    `${[
      "ID    | Raft Address   | RPC Address | Leader | Reachable | Role    | Match | Lag | Version | Last Contact | Member ID        | Alarm   | Replaces",
      "dkv-0 | localhost:2380 | localhost:1 | true   | true      | voter   | 1234  | 0   | 0.1.0   | 0ms          | 8000000000000000 |         |",
      "drei  | a.example:2381 |             | false  | false     | learner |       |     |         |              | 0000000000000abc | corrupt |",
    ].join("\n")}\n`,
  );
});

test("member-list has everything as json", async (t) => {
  const only = await member(t);
  only.servers = servers.map((server) => (server.id === "drei" ? { ...server, replaces: 0xabcn } : server));
  const { members } = JSON.parse((await at(only, "member-list", "-o", "json")).stdout) as {
    readonly members: readonly unknown[];
  };
  assert.deepEqual(members, [
    {
      id: "dkv-0",
      member_id: "9223372036854775808",
      raft_address: "localhost:2380",
      rpc_address: "localhost:1",
      is_leader: true,
      is_reachable: true,
      is_learner: false,
      match: 1234,
      lag: 0,
      version: "0.1.0",
      last_contact_ms: 0,
      is_corrupt: false,
      replaces: "",
    },
    {
      id: "drei",
      member_id: "2748",
      raft_address: "a.example:2381",
      rpc_address: "",
      is_leader: false,
      is_reachable: false,
      is_learner: true,
      match: null,
      lag: null,
      version: "",
      last_contact_ms: null,
      is_corrupt: true,
      replaces: "2748",
    },
  ]);
});

test("a person who adds a member is told what else it needs", async (t) => {
  const only = await member(t);
  only.servers = servers;
  const { stdout, stderr } = await atTerminal(only, "member-join", "dkv 3", "localhost:2383");
  assert.equal(
    stdout,
    "dkv 3 is a learner at localhost:2383; start it with an EMPTY data directory: npx dkv '--name=dkv 3' " +
      "'--data-dir=dkv 3' --initial-cluster-state=existing " +
      "'--initial-cluster=dkv-0=localhost:2380,drei=a.example:2381,dkv 3=localhost:2383' " +
      "--listen-peer-address=localhost:2383 --listen-client-address=HOST:PORT\n",
  );
  assert.equal(
    stderr,
    "Write where its clients reach it for HOST:PORT, and add the flags for certificates if the others have them.\n" +
      "It catches up first; dkvctl member-list shows how far it is.\n",
  );
});

test("where members serve with TLS the command that starts one has the flags for it", async (t) => {
  const authority = await createAuthority();
  const issued = await issueCertificate(authority, {
    commonName: "member",
    hosts: ["localhost"],
    usages: ["serverAuth"],
  });
  const secure = await member(t, { tls: { cert: issued.certificate, key: issued.key } });
  const directory = await mkdtemp(join(tmpdir(), "dkvctl-"));
  t.after(() => rm(directory, { recursive: true }));
  const caFile = join(directory, "ca.pem");
  await writeFile(caFile, authority.certificate);
  const { stdout, stderr } = await atTerminal(
    secure,
    `--cacert=${caFile}`,
    "member-join",
    "dkv-3",
    "localhost:2383",
  );
  assert.match(
    stdout,
    / --listen-client-address=HOST:PORT(?: --(?:peer-)?(?:cert|key|trusted-ca)-file=FILE){5}\n$/,
  );
  assert.match(stderr, /^Write where its clients reach it for HOST:PORT and its certificates for FILE\.\n/);
});

test("a member that was added is added, whether or not the others can be listed afterwards", async (t) => {
  let joined = false;
  const only = await member(t, {
    script: ({ method }) => {
      if (joined && method === "getServers") throw refusal("stopping", Retry.NEVER);
      joined ||= method === "joinServer";
    },
  });
  const { stdout } = await at(only, "member-join", "dkv-3", "localhost:2383");
  assert.match(
    stdout,
    /^dkv-3 is a member at localhost:2383; start it with an .*--initial-cluster=NAME=HOST:PORT,\.\.\.,dkv-3=localhost:2383 /,
  );
});

test("a refused change is one line with the member's reason, and 1", async (t) => {
  const only = await member(t, {
    script: ({ method }) => {
      if (method !== "getServers") throw refusal("quorum_at_risk", Retry.NEVER, Code.FailedPrecondition);
    },
  });
  for (const words of [
    ["member-join", "dkv-3", "localhost:2383"],
    ["member-leave", "dkv-3"],
    ["member-promote", "dkv-3"],
    ["member-replace", "dkv-3", "dkv-4", "localhost:2384"],
    ["member-update", "dkv-3", "localhost:2384"],
    ["move-leader", "dkv-3"],
  ]) {
    assert.deepEqual(brief(await at(only, ...words)), {
      code: 1,
      stdout: "",
      stderr: "dkvctl: refused: quorum_at_risk\n",
    });
  }
});

test("the help of each command has an example", async () => {
  for (const name of [
    "member-join",
    "member-leave",
    "member-promote",
    "member-replace",
    "member-update",
    "move-leader",
  ]) {
    const { code, stdout } = await dkvctl([name, "--help"]);
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`^Usage: dkvctl ${name} <.*Examples:\\n +dkvctl ${name} `, "s"));
  }
});

test("the help promises of member-leave no more than it does", async () => {
  const { stdout } = await dkvctl(["--help"]);
  assert.match(stdout, /member-leave .*no error if it has left\n/);
});
