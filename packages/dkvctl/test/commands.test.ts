import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import { createAuthority, issueCertificate } from "@dkv/certificates";
import { Retry } from "@dkv/protocol/dkv/v1/dkv";

import { refusal, ScriptedMember, type ScriptedMemberOptions } from "../../client/test/scripted-member.ts";
import { dkvctl, type Ending, type RunOptions } from "./dkvctl.ts";

async function member(t: TestContext, options?: ScriptedMemberOptions): Promise<ScriptedMember> {
  const started = await ScriptedMember.start(options);
  t.after(() => started.stop());
  return started;
}

/** Runs a command against one member. */
async function at(
  { endpoint }: ScriptedMember,
  words: readonly string[],
  options?: RunOptions,
): Promise<Ending> {
  return dkvctl([`--endpoint=${endpoint}`, ...words], options);
}

const silence = { code: 0, stdout: "", stderr: "" };
const brief = ({ code, stdout, stderr }: Ending) => ({ code, stdout, stderr });

async function directory(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "dkvctl-"));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

test("set and delete print nothing, get prints the value and a line feed", async (t) => {
  const only = await member(t);
  assert.deepEqual(brief(await at(only, ["set", "key", "value"])), silence);
  assert.deepEqual(brief(await at(only, ["get", "key"])), { ...silence, stdout: "value\n" });
  assert.deepEqual(brief(await at(only, ["delete", "key"])), silence);
  assert.deepEqual(brief(await at(only, ["delete", "key"])), silence);
});

test("a missing key ends with 4 and one line", async (t) => {
  assert.deepEqual(brief(await at(await member(t), ["get", "no\nbody"])), {
    code: 4,
    stdout: "",
    stderr: "dkvctl: key not found: no\\nbody\n",
  });
});

test("a value from standard input keeps every byte, and comes back so", async (t) => {
  const only = await member(t);
  const value = Buffer.from([0, 255, 10, 0xc3, 0x28, 13, 10]);
  assert.deepEqual(brief(await at(only, ["set", "key", "-"], { input: value })), silence);
  assert.deepEqual((await at(only, ["get", "key"])).output, Buffer.concat([value, Buffer.from("\n")]));
  const large = Buffer.alloc(1 << 20, "x");
  await at(only, ["set", "large", "-"], { input: large });
  assert.deepEqual((await at(only, ["get", "large"])).output.subarray(0, -1), large);
});

test("keys and values may be empty, numbers, dashes, or the names of commands and flags", async (t) => {
  const only = await member(t);
  const pairs: readonly (readonly [words: readonly string[], key: string, value: string])[] = [
    [["set", "empty", ""], "empty", ""],
    [["set", "empty-input", "-"], "empty-input", ""],
    [["set", "0123", "1e3"], "0123", "1e3"],
    [["set", "negative", "-5"], "negative", "-5"],
    [["set", "--", "-k", "--v"], "-k", "--v"],
    [["set", "dash", "--", "-o"], "dash", "-o"],
    [["set", "help", "get"], "help", "get"],
    [["set", "key", "help"], "key", "help"],
    [["set", "true", "false"], "true", "false"],
    [["set", "__proto__", "a.b=c"], "__proto__", "a.b=c"],
    [["set", "grüße ☃", "two  spaces\n"], "grüße ☃", "two  spaces\n"],
  ];
  await Promise.all(
    pairs.map(async ([words]) => assert.deepEqual(brief(await at(only, words)), silence, words.join(" "))),
  );
  for (const [, key, value] of pairs)
    assert.equal(Buffer.from(only.values.get(key) ?? "missing").toString(), value, key);
});

test("-o json is one line with text, base64 and revisions", async (t) => {
  const only = await member(t);
  only.leader = "dkv-0";
  const header = {
    cluster_id: "18446744073709551601",
    member_id: "7",
    leader: "dkv-0",
    term: 2,
    applied_index: 12,
    revision: 9,
  };
  assert.deepEqual(JSON.parse((await at(only, ["-o", "json", "set", "k", "ü"])).stdout), {
    key: "k",
    header,
  });
  const { stdout } = await at(only, ["get", "k", "-o=json"]);
  assert.equal(stdout.split("\n").length, 2);
  assert.deepEqual(JSON.parse(stdout), {
    key: "k",
    value: "ü",
    value_base64: "w7w=",
    create_revision: 3,
    mod_revision: 5,
    version: 2,
    header,
  });
  await at(only, ["set", "k", "-"], { input: Buffer.from([255]) });
  const binary: unknown = JSON.parse((await at(only, ["get", "k", "--output", "json"])).stdout);
  assert.deepEqual(binary, {
    key: "k",
    value_base64: "/w==",
    create_revision: 3,
    mod_revision: 5,
    version: 2,
    header,
  });
  assert.deepEqual(JSON.parse((await at(only, ["delete", "k", "-o", "json"])).stdout), {
    key: "k",
    deleted: true,
    header,
  });
});

test("-o table has a header and keeps each cell on its line", async (t) => {
  const only = await member(t);
  await at(only, ["set", "k", "a\tb\nc"]);
  const { stdout } = await at(only, ["get", "k", "-o", "table"]);
  assert.equal(
    stdout,
    "Key\t| Value\t| Create Revision\t| Mod Revision\t| Version\t| Lease\nk\t| a\\tb\\nc\t| 3\t| 5\t| 2\t| \n",
  );
});

test("endpoints come comma-separated, repeated, or from the environment; one that is down is passed over", async (t) => {
  const gone = await ScriptedMember.start();
  await gone.stop();
  const only = await member(t);
  const list = `${gone.endpoint}, ${only.endpoint}`;
  assert.deepEqual(brief(await dkvctl(["set", "a", "1", "--endpoint", list])), silence);
  assert.deepEqual(
    brief(await dkvctl(["--endpoint", gone.endpoint, "set", "b", "1", "--endpoint", only.endpoint])),
    silence,
  );
  assert.deepEqual(
    brief(await dkvctl(["set", "c", "1"], { environment: { DKVCTL_ENDPOINT: list } })),
    silence,
  );
  assert.deepEqual([...only.values.keys()], ["a", "b", "c"]);
  const overridden = await dkvctl([`--endpoint=${gone.endpoint}`, "get", "a"], {
    environment: { DKVCTL_ENDPOINT: list },
  });
  assert.equal(overridden.code, 1);
});

test("variables are read from .env.local and .env too, and never override", async (t) => {
  const only = await member(t);
  const where = await directory(t);
  await writeFile(
    join(where, ".env"),
    `DKVCTL_ENDPOINT=${only.endpoint}\nDKVCTL_OUTPUT=table\nNODE_OPTIONS=--nonsense\n`,
  );
  await writeFile(join(where, ".env.local"), "DKVCTL_OUTPUT=json\n");
  await at(only, ["set", "k", "v"]);
  assert.match((await dkvctl(["get", "k"], { directory: where })).stdout, /^\{"key":"k"/);
  assert.equal(
    (await dkvctl(["get", "k"], { directory: where, environment: { DKVCTL_OUTPUT: "value" } })).stdout,
    "v",
  );
});

test("writes go to the leader", async (t) => {
  const [follower, leader] = [await member(t), await member(t)];
  follower.servers = [{ id: "dkv-1", rpcAddress: leader.endpoint, isLeader: true }];
  assert.deepEqual(brief(await at(follower, ["set", "k", "v"])), silence);
  assert.deepEqual([follower.methods, leader.methods], [["getServers"], ["set"]]);
});

test("nobody there is said in one line, with 1", async () => {
  const gone = await ScriptedMember.start();
  await gone.stop();
  assert.deepEqual(brief(await at(gone, ["get", "k"])), {
    code: 1,
    stdout: "",
    stderr: `dkvctl: no member answers at ${gone.endpoint}: connection refused; is dkv running there?\n`,
  });
});

test("a refusal of the cluster is one line, with 1", async (t) => {
  const script = () => {
    throw refusal("overloaded", Retry.NOT_APPLIED);
  };
  const { code, stderr } = await at(await member(t, { script }), ["--timeout", "2s", "set", "k", "v"]);
  assert.equal(code, 1);
  assert.match(stderr, /^dkvctl: refused: overloaded \(tried for [\d.]+m?s\)\n$/);
});

test("TLS flags and variables work, and what is missing is said", async (t) => {
  const where = await directory(t);
  const authority = await createAuthority();
  const server = await issueCertificate(authority, {
    commonName: "server",
    hosts: ["localhost"],
    usages: ["serverAuth"],
  });
  const client = await issueCertificate(authority, {
    commonName: "client",
    hosts: [],
    usages: ["clientAuth"],
  });
  const files = { ca: join(where, "ca.pem"), cert: join(where, "cert.pem"), key: join(where, "key.pem") };
  await Promise.all([
    writeFile(files.ca, authority.certificate),
    writeFile(files.cert, client.certificate),
    writeFile(files.key, client.key),
  ]);
  const tls = {
    cert: server.certificate,
    key: server.key,
    ca: authority.certificate,
    requestCert: true,
    rejectUnauthorized: true,
  };
  const secure = await member(t, { tls });
  const words = ["set", "k", "v"];
  assert.deepEqual(
    brief(await at(secure, [...words, "--cacert", files.ca, "--cert", files.cert, "--key", files.key])),
    silence,
  );
  const environment = { DKVCTL_CACERT: files.ca, DKVCTL_CERT: files.cert, DKVCTL_KEY: files.key };
  assert.deepEqual(brief(await at(secure, words, { environment })), silence);
  assert.match(
    (await at(secure, words)).stderr,
    /it speaks TLS and this client was not told to: give --cacert/,
  );
  assert.match(
    (await at(secure, [...words, "--cacert", files.ca])).stderr,
    /asks for a client certificate and none was given: give --cert and --key\n$/,
  );
  assert.match(
    (await at(await member(t), [...words, "--cacert", files.ca])).stderr,
    /does not speak TLS .*: leave out --cacert/,
  );
  assert.match(
    (await at(secure, [...words, "--cacert", files.cert, "--cert", files.cert, "--key", files.key])).stderr,
    /not signed by .*: give the file of its authority/,
  );
});

test("a reader that goes away is no error", async (t) => {
  const only = await member(t);
  only.values.set("large", Buffer.alloc(8 << 20));
  const program = new URL("../bin/dkvctl.js", import.meta.url).pathname;
  const child = spawn(process.execPath, [program, `--endpoint=${only.endpoint}`, "get", "large"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const errors: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  await once(child.stdout, "readable");
  child.stdout.destroy();
  const [code] = await once(child, "close");
  assert.deepEqual([code, Buffer.concat(errors).toString()], [0, ""]);
});

test("output that cannot be written is an error", async (t) => {
  const only = await member(t);
  only.values.set("k", Buffer.from("v"));
  const full = await open("/dev/full", "w");
  t.after(() => full.close());
  const { code, stderr } = await at(only, ["get", "k"], { stdout: full.fd });
  assert.equal(code, 1);
  assert.match(stderr, /^dkvctl: cannot write to standard output: .*ENOSPC.*\n$/);
});
