import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat, watch, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import { create, toBinary } from "@bufbuild/protobuf";
import { SetCommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import { MembershipSchema } from "@dkv/protocol/dkv/peer/v1/peer";
import { Retry } from "@dkv/protocol/dkv/v1/dkv";
import { logIndex, nodeId, term } from "@dkv/raft";
import { chunksOf, encodeBackup, encodeHeader, type SnapshotHeader, type StateRecord } from "@dkv/snapshot";
import { Store } from "@dkv/store";

import { refusal, ScriptedMember } from "../../client/test/scripted-member.ts";
import { Disk } from "../../store/test/disk.ts";
import { run } from "../src/run.ts";
import { dkvctl, type Ending, unusedIo } from "./dkvctl.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** What a member of three, one of them a learner and one gone, streams: three keys. */
async function backup(value = "value"): Promise<Buffer> {
  const store = new Store(new Disk(), { cacheBytes: 0 });
  for (const [position, key] of ["a", "b", "c"].entries()) {
    const set = create(SetCommandSchema, { key: bytes(key), value: bytes(value) });
    const command = {
      id: { proposer: 1n, sequence: position },
      operation: { case: "set", value: set },
    } as const;
    store.apply({ index: position + 1, term: 4 }, command, { isWanted: false });
  }
  const records = store
    .takeChanges()
    .map(({ key, value }): StateRecord => [key, value ?? assert.fail()])
    .toSorted(([one], [other]) => Buffer.compare(one, other));
  const members = [1n, 2n, 3n].map((id) => ({ id, name: `dkv-${id}`, peerAddress: `localhost:238${id}` }));
  const header: SnapshotHeader = {
    snapshotId: 5n,
    clusterId: 77n,
    last: { index: logIndex(3), term: term(4) },
    configuration: {
      voters: [nodeId(1n)],
      outgoing: [],
      learners: [nodeId(3n)],
      context: toBinary(MembershipSchema, create(MembershipSchema, { members })),
    },
    revision: 4,
  };
  async function* each(): AsyncGenerator<StateRecord> {
    for (const record of records) yield await Promise.resolve(record);
  }
  const pieces: Buffer[] = [];
  const chunks = (skip: number) => chunksOf(each(), { header: encodeHeader(header), skip });
  for await (const piece of encodeBackup({ header, chunks })) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function memberWith(t: TestContext, file: Buffer): Promise<ScriptedMember> {
  const member = await ScriptedMember.start();
  t.after(() => member.stop());
  member.backup = async function* () {
    for (let offset = 0; offset < file.length; offset += 100)
      yield await Promise.resolve(file.subarray(offset, offset + 100));
  };
  return member;
}

async function directory(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "dkvctl-snapshot-"));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

const snapshot = ({ endpoint }: ScriptedMember, cwd: string, ...words: readonly string[]): Promise<Ending> =>
  dkvctl([`--endpoint=${endpoint}`, "snapshot", ...words], { directory: cwd });

test("a backup is saved as it came, and its status needs no cluster", async (t) => {
  const file = await backup();
  const member = await memberWith(t, file);
  const cwd = await directory(t);
  const saved = await snapshot(member, cwd, "save", "it.dkv");
  assert.deepEqual([saved.code, saved.stderr], [0, ""]);
  assert.deepEqual(await readFile(join(cwd, "it.dkv")), file);
  assert.deepEqual(await readdir(cwd), ["it.dkv"]);
  assert.equal((await stat(join(cwd, "it.dkv"))).mode & 0o777, 0o600);

  const status = await dkvctl(["snapshot", "status", "it.dkv"], { directory: cwd });
  assert.equal(status.stdout, saved.stdout);
  assert.equal(
    status.stdout,
    "Revision\t| Index\t| Term\t| Keys\t| Bytes\t| Members\n" +
      `4\t| 3\t| 4\t| 3\t| ${file.length}\t| dkv-1, dkv-3\n`,
  );
  const value = await dkvctl(["snapshot", "status", "it.dkv", "-o", "value"], { directory: cwd });
  assert.equal(value.stdout, "4\n");
  const json = await dkvctl(["snapshot", "status", "it.dkv", "-o", "json"], { directory: cwd });
  assert.deepEqual(JSON.parse(json.stdout), {
    cluster_id: "77",
    revision: 4,
    index: 3,
    term: 4,
    keys: 3,
    // Three for each key, and the position.
    records: 10,
    bytes: file.length,
    sha256: file.subarray(-32).toString("hex"),
    members: [
      { id: "dkv-1", member_id: "1", raft_address: "localhost:2381", is_learner: false },
      { id: "dkv-3", member_id: "3", raft_address: "localhost:2383", is_learner: true },
    ],
  });
});

test("a file that is there is replaced only when asked to", async (t) => {
  const file = await backup();
  const member = await memberWith(t, file);
  const cwd = await directory(t);
  await writeFile(join(cwd, "it.dkv"), "precious");
  const refused = await snapshot(member, cwd, "save", "it.dkv");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /it\.dkv is there already: name another file, or add --force/);
  assert.equal(await readFile(join(cwd, "it.dkv"), "utf8"), "precious");
  assert.deepEqual(member.calls, []);
  assert.equal((await snapshot(member, cwd, "save", "--force", "--serializable", "it.dkv")).code, 0);
  assert.deepEqual(await readFile(join(cwd, "it.dkv")), file);
  assert.deepEqual(
    member.calls.map(({ key }) => key),
    ["serializable"],
  );
});

test("what is not whole gets no name, and leaves what was there", async (t) => {
  const file = await backup();
  const changed = Buffer.from(file);
  changed[300] = (changed[300] ?? 0) ^ 1;
  for (const wrong of [file.subarray(0, -1), changed, Buffer.alloc(0), Buffer.from("something else")]) {
    const cwd = await directory(t);
    await writeFile(join(cwd, "old.dkv"), "precious");
    const ending = await snapshot(await memberWith(t, wrong), cwd, "save", "--force", "old.dkv");
    assert.equal(ending.code, 1);
    assert.match(ending.stderr, /^dkvctl: old\.dkv is no backup to rely on: .*\n$/);
    assert.equal(ending.stdout, "");
    assert.deepEqual(await readdir(cwd), ["old.dkv"]);
    assert.equal(await readFile(join(cwd, "old.dkv"), "utf8"), "precious");
  }
});

test("a file that comes meanwhile is not replaced", async (t) => {
  const file = await backup();
  const member = await memberWith(t, file);
  const cwd = await directory(t);
  member.backup = async function* () {
    await writeFile(join(cwd, "it.dkv"), "precious");
    yield file;
  };
  const refused = await snapshot(member, cwd, "save", "it.dkv");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /^dkvctl: it\.dkv is there already: name another file, or add --force/);
  assert.equal(await readFile(join(cwd, "it.dkv"), "utf8"), "precious");
  assert.deepEqual(await readdir(cwd), ["it.dkv"]);
});

test("two at once do not get in each other's way, nor in that of a file of the user's", async (t) => {
  const file = await backup();
  const member = await memberWith(t, file);
  for (const force of [[], ["--force"]]) {
    const both = Promise.withResolvers<void>();
    let begun = 0;
    member.backup = async function* () {
      yield file.subarray(0, 100);
      begun += 1;
      if (begun === 2) both.resolve();
      await both.promise;
      yield file.subarray(100);
    };
    const cwd = await directory(t);
    await writeFile(join(cwd, "it.dkv.part"), "mine");
    const words = ["save", ...force, "it.dkv"];
    const endings = await Promise.all([snapshot(member, cwd, ...words), snapshot(member, cwd, ...words)]);
    const codes = endings.map(({ code }) => code);
    assert.deepEqual(new Set(codes), new Set(force.length === 0 ? [0, 1] : [0]));
    assert.deepEqual(await readFile(join(cwd, "it.dkv")), file);
    assert.equal(await readFile(join(cwd, "it.dkv.part"), "utf8"), "mine");
    assert.deepEqual(await readdir(cwd), ["it.dkv", "it.dkv.part"]);
  }
});

for (const name of ["SIGINT", "SIGTERM"] as const) {
  test(`${name} ends it, and leaves nothing behind`, async (t) => {
    const file = await backup();
    const member = await memberWith(t, file);
    member.backup = async function* (signal) {
      yield file.subarray(0, 100);
      if (!signal.aborted) await once(signal, "abort");
    };
    const cwd = await directory(t);
    const changes = watch(cwd)[Symbol.asyncIterator]();
    const kill = changes.next().then(() => name);
    const words = [`--endpoint=${member.endpoint}`, "snapshot", "save", "it.dkv"];
    const { code, signal } = await dkvctl(words, { directory: cwd, kill });
    await changes.return?.();
    assert.deepEqual([code, signal], [null, name]);
    assert.deepEqual(await readdir(cwd), []);
  });
}

test("a person sees how much has come, and then a clean line, whatever comes of it", async (t) => {
  const file = await backup("x".repeat(2 ** 20));
  const cwd = await directory(t);
  for (const whole of [true, false]) {
    const member = await memberWith(t, file);
    member.backup = async function* () {
      for (let offset = 0; offset < file.length - (whole ? 0 : 1); offset += 2 ** 19)
        yield await Promise.resolve(
          file.subarray(offset, Math.min(offset + 2 ** 19, file.length - 1 + Number(whole))),
        );
    };
    let seen = "";
    const save = run({
      words: [`--endpoint=${member.endpoint}`, "snapshot", "save", join(cwd, `${String(whole)}.dkv`)],
      environment: {},
      io: {
        printsToTerminal: true,
        explainsToTerminal: true,
        ...unusedIo,
        print: () => Promise.resolve(),
        explain: (text) => {
          seen += text;
        },
        interruptible: (work) => work(new AbortController().signal),
      },
    });
    if (whole) await save;
    else await assert.rejects(save, /is no backup to rely on/);
    assert.equal(seen, "\r1 MiB\r2 MiB\r3 MiB\r\u001B[K");
  }
});

test("a file that was changed is told from one that is not there", async (t) => {
  const file = await backup();
  const cwd = await directory(t);
  const missing = await dkvctl(["snapshot", "status", "it.dkv"], { directory: cwd });
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /^dkvctl: cannot use it\.dkv: no such file or directory\n$/);
  file[200] = (file[200] ?? 0) ^ 1;
  await writeFile(join(cwd, "it.dkv"), file);
  const damaged = await dkvctl(["snapshot", "status", "it.dkv"], { directory: cwd });
  assert.equal(damaged.code, 1);
  assert.match(damaged.stderr, /^dkvctl: it\.dkv is no backup to rely on: .*\n$/);
});

test("a member without a quorum is told about with the way to do without one, once", async (t) => {
  const cwd = await directory(t);
  const member = await memberWith(t, await backup());
  for (const code of ["read_timeout", "no_leader"]) {
    member.script = ({ method }) => {
      if (method === "snapshot") throw refusal(code, Retry.NEVER);
    };
    const ending = await snapshot(member, cwd, "save", "it.dkv");
    assert.equal(ending.code, 1);
    assert.equal(
      ending.stderr,
      `dkvctl: refused: ${code}; add --serializable to save what the member asked has, which needs no quorum\n`,
    );
    const serializable = await snapshot(member, cwd, "save", "--serializable", "it.dkv");
    assert.equal(serializable.stderr, `dkvctl: refused: ${code}\n`);
  }
  member.script = ({ signal }) => once(signal, "abort").then(() => undefined);
  const silent = await snapshot(member, cwd, "save", "it.dkv", "--timeout=2s");
  assert.match(silent.stderr, /did not answer backup within .*; add --serializable/);
  assert.deepEqual(await readdir(cwd), []);
});

test("a member that cannot be reached leaves nothing behind", async (t) => {
  const cwd = await directory(t);
  const member = await memberWith(t, await backup());
  await member.stop();
  const ending = await snapshot(member, cwd, "save", "it.dkv");
  assert.equal(ending.code, 1);
  assert.match(ending.stderr, /no member answers/);
  assert.equal(existsSync(join(cwd, "it.dkv.part")), false);
});

test("what cannot be written is said", async (t) => {
  const ending = await snapshot(await memberWith(t, await backup()), await directory(t), "save", "no/it.dkv");
  assert.equal(ending.code, 1);
  assert.match(ending.stderr, /^dkvctl: cannot use no\/it\.dkv: no such file or directory\n$/);
});

test("the words must make sense", async () => {
  for (const [words, hint] of [
    [
      ["snapshot", "restore", "it.dkv"],
      /dkvctl: unknown command "snapshot restore": dkv restore FILE does that/,
    ],
    [["snapshot", "save"], /too few words: write dkvctl snapshot save <FILE>/],
  ] as const) {
    const ending = await dkvctl(words);
    assert.equal(ending.code, 2);
    assert.match(ending.stderr, hint);
  }
});
