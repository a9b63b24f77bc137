/** Commands that go on until somebody or something ends them. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import type { ScriptedMember } from "../../client/test/scripted-member.ts";
import { brief, printed, silence, world } from "./fixture.ts";

/** Resolves when the member is asked these, one after the other, whatever comes between. */
async function asked(member: ScriptedMember, ...methods: readonly string[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const left = [...methods];
  member.script = (call) => {
    if (call.method === left[0]) left.shift();
    if (left.length === 0) resolve();
  };
  await promise;
}

const ended = { code: 0, signal: null, stderr: "" };

test("watch prints changes until Ctrl-C, which is no failure", async (t) => {
  const { at, start, member } = await world(t);
  await at(["set", "a/1", "before"]);
  const begun = asked(member, "watch");
  const watch = start(["watch", "--prefix", "a/", "--rev=2", "--previous"]);
  await begun;
  await at(["set", "a/1", "x"]);
  await at(["delete", "a/1"]);
  assert.equal(await watch.line(), "2\t| set\t| a/1\t| before");
  assert.equal(await watch.line(), "3\t| set\t| a/1\t| x\t| before: before");
  assert.equal(await watch.line(), "4\t| delete\t| a/1\t| before: x");
  watch.kill("SIGINT");
  assert.deepEqual(await watch.ending, ended);
});

test("watch goes on when its member is lost, and says so once", async (t) => {
  const { at, start, member } = await world(t);
  const watch = start(["watch", "k", "-o", "json", "--rev=2"]);
  await at(["set", "k", "1"]);
  assert.deepEqual(JSON.parse((await watch.line()) ?? ""), {
    event: "set",
    key: "k",
    value: "1",
    value_base64: "MQ==",
    create_revision: 2,
    mod_revision: 2,
    version: 1,
  });
  const again = asked(member, "watch");
  member.cut();
  await again;
  await at(["delete", "k"]);
  assert.deepEqual(JSON.parse((await watch.line()) ?? ""), { event: "delete", key: "k", mod_revision: 3 });
  watch.kill("SIGTERM");
  const { code, stderr } = await watch.ending;
  assert.equal(code, 0);
  assert.match(
    stderr,
    /^dkvctl: .* broke before it answered; looking for another member, nothing is missed\n$/,
  );
});

test("watch --exec runs a command for each change, one after the other", async (t) => {
  const { at, start } = await world(t);
  const directory = await mkdtemp(join(tmpdir(), "dkvctl-"));
  t.after(() => rm(directory, { recursive: true }));
  await at(["set", "k", "some value"]);
  await at(["delete", "k"]);
  await at(["set", "k", "end"]);
  const out = join(directory, "out");
  const command = `echo "$DKV_EVENT $DKV_KEY $DKV_REVISION $(cat)" >> ${out}; test $DKV_EVENT = set && echo done`;
  const watch = start(["watch", "k", "--rev=2", "--exec", command]);
  assert.deepEqual([await watch.line(), await watch.line()], ["done", "done"]);
  assert.equal(await readFile(out, "utf8"), "set k 2 some value\ndelete k 3 \nset k 4 end\n");
  watch.kill("SIGINT");
  const { code, stderr } = await watch.ending;
  assert.deepEqual([code, stderr], [0, "dkvctl: the command ended with 1 for delete of k at revision 3\n"]);
});

test("watch --exec has the key as it is, or in base64, and goes on after one that fits nowhere", async (t) => {
  const { at, start, store } = await world(t);
  for (const key of ["a\tb\nc", "n\0l", "l".repeat(200_000), "last"]) store.set({ ...plain, key });
  const command = 'echo "[$DKV_KEY][$DKV_KEY_BASE64]"';
  const watch = start(["watch", "--prefix", "", "--rev=2", "--exec", command]);
  const printedLines: (string | undefined)[] = [];
  for (let lines = 0; lines < 4; lines += 1) printedLines.push(await watch.line());
  assert.deepEqual(printedLines, ["[a\tb", "c][]", "[][bgBs]", "[last][]"]);
  watch.kill("SIGINT");
  const { code, stderr } = await watch.ending;
  assert.equal(code, 0);
  assert.match(
    stderr,
    /^dkvctl: cannot run \/bin\/sh: its words and variables are too long for set of l{100}\.\.\. \(200000 characters\) at revision 4\n$/,
  );
  assert.deepEqual(brief(await at(["get", "last"])), printed("\n"));
});

const plain = {
  $typeName: "dkv.v1.SetRequest",
  value: new Uint8Array(),
  ttlSeconds: 0n,
  ifAbsent: false,
  returnPrevious: false,
  lease: 0n,
} as const;

test("a watch that cannot go on fails", async (t) => {
  const { at } = await world(t);
  for (const value of ["1", "2"]) await at(["set", "k", value]);
  await at(["compact", "3"]);
  assert.deepEqual(brief(await at(["watch", "k", "--rev=2"])), {
    code: 1,
    stdout: "",
    stderr: "dkvctl: refused: compacted\n",
  });
});

test("leases are granted, listed, shown, kept alive and revoked", async (t) => {
  const { at, start, store } = await world(t);
  const id = "00000000000000ff";
  assert.deepEqual(brief(await at(["lease", "grant", "60s", "--id=ff"])), printed(`${id}\n`));
  await at(["set", "k", "v", `--lease=${id}`]);
  assert.deepEqual(brief(await at(["lease", "list"])), printed(`${id}\n`));
  assert.deepEqual(brief(await at(["lease", "ttl", id, "--keys"])), printed("60\nk\n"));
  assert.deepEqual(
    brief(await at(["lease", "list", "-o", "table"])),
    printed(`Lease\t| TTL\t| Granted TTL\n${id}\t| 60\t| 60\n`),
  );
  assert.deepEqual(brief(await at(["lease", "keep-alive", id, "--once"])), printed("60\n"));
  const kept = start(["lease", "keep-alive", id]);
  assert.equal(await kept.line(), "60");
  kept.kill("SIGINT");
  assert.deepEqual(await kept.ending, ended);
  assert.deepEqual(brief(await at(["lease", "revoke", id])), silence);
  assert.deepEqual(store.keys, []);
  assert.deepEqual(brief(await at(["lease", "revoke", id])), silence);
  const gone = await at(["lease", "keep-alive", id]);
  assert.deepEqual([gone.code, gone.stderr], [1, "dkvctl: refused: lease_not_found\n"]);
});

test("a lock is held as long as the command runs, and its exit status is passed on", async (t) => {
  const { at, store } = await world(t);
  const script = 'echo "$DKV_FENCING_TOKEN $DKV_KEY"; exit 7';
  const { code, stdout, stderr } = await at(["lock", "job", "--", "sh", "-c", script]);
  assert.deepEqual([code, stderr], [7, ""]);
  assert.match(stdout, /^2 job\/[\da-f]{16}\n$/);
  assert.deepEqual([store.keys, store.leases.size], [[], 0]);
  const missing = await at(["lock", "job", "no-such-program"]);
  assert.equal(missing.code, 127);
  assert.match(missing.stderr, /^dkvctl: cannot run no-such-program: there is no such program\n$/);
  assert.deepEqual(store.keys, []);
});

test("a lock without a command is held until Ctrl-C, and the next one gets it then", async (t) => {
  const { start, store, member } = await world(t);
  const first = start(["lock", "job"]);
  assert.equal(await first.line(), "2");
  const waits = asked(member, "list", "watch");
  const second = start(["lock", "job", "-o", "json"]);
  await waits;
  first.kill("SIGINT");
  assert.deepEqual(await first.ending, ended);
  const { name, fencing_token: token } = JSON.parse((await second.line()) ?? "");
  assert.deepEqual([name, token], ["job", 3]);
  second.kill("SIGTERM");
  assert.deepEqual(await second.ending, ended);
  assert.deepEqual(store.keys, []);
});

test("whoever is stopped while it waits for a lock leaves nothing behind", async (t) => {
  const { start, store, member } = await world(t);
  const first = start(["lock", "job"]);
  await first.line();
  const waits = asked(member, "list", "watch");
  const second = start(["lock", "job", "--", "echo", "never"]);
  await waits;
  second.kill("SIGINT");
  assert.deepEqual(await second.ending, { code: 130, signal: null, stderr: "" });
  assert.equal(await second.line(), undefined);
  assert.equal(store.keys.length, 1);
  first.kill("SIGINT");
  await first.ending;
});

test("the wait for a lock has an end if one is given, and whoever has it is named", async (t) => {
  const { at, start, store } = await world(t);
  const holder = start(["elect", "job", "--value=ann"]);
  await holder.line();
  for (const words of [
    ["lock", "job", "--wait=0s", "--", "echo", "never"],
    ["elect", "job", "--wait=50ms"],
  ]) {
    const { code, stdout, stderr } = await at(words);
    assert.deepEqual([code, stdout], [5, ""]);
    assert.match(stderr, /^dkvctl: job was not got: it is held by job\/[\da-f]{16} with ann\n$/);
  }
  assert.deepEqual([store.keys.length, store.leases.size], [1, 1]);
  holder.kill("SIGINT");
  await holder.ending;
  assert.equal((await at(["lock", "job", "--wait=0s", "--", "echo", "alone"])).stdout, "alone\n");
  assert.equal((await at(["lock", "job", "--wait=1x"])).code, 2);
});

/** A shell says of its own children that they were ended, too. */
const lossAlone = /^dkvctl: .*(?:was deleted|lease is lost).*\n(?:Terminated\n)?$/;

test("a command is ended when its lock is lost, and when dkvctl is", async (t) => {
  const { start, store } = await world(t);
  const command = [
    "--",
    "sh",
    "-c",
    "trap 'echo ending; exit 3' TERM; echo begun; while :; do sleep 0.05; done",
  ];
  const losing = start(["lock", "job", ...command]);
  assert.equal(await losing.line(), "begun");
  store.end(store.leases.keys().next().value ?? 0n);
  assert.equal(await losing.line(), "ending");
  const { code, stderr } = await losing.ending;
  assert.equal(code, 3);
  assert.match(stderr, lossAlone);
  const stopped = start(["lock", "job", ...command]);
  assert.equal(await stopped.line(), "begun");
  stopped.kill("SIGTERM");
  assert.equal(await stopped.line(), "ending");
  const { code: own, signal, stderr: words } = await stopped.ending;
  assert.deepEqual([own, signal, words.replace("Terminated\n", "")], [3, null, ""]);
  assert.deepEqual(store.keys, []);
});

test("what a command has started is ended with it, and told of the loss at once", async (t) => {
  const { start, store } = await world(t);
  const deaf =
    "(trap 'echo told' TERM; echo begun; while :; do sleep 0.05; done) & trap 'wait; exit 0' TERM; wait";
  const losing = start(["lock", "job", "--", "sh", "-c", deaf]);
  assert.equal(await losing.line(), "begun");
  store.end(store.leases.keys().next().value ?? 0n);
  assert.equal(await losing.line(), "told");
  // It is killed, or it would hold standard output for ever.
  assert.equal(await losing.line(), undefined);
  const { code, stderr } = await losing.ending;
  assert.notEqual(code, 0);
  assert.match(stderr, lossAlone);
});

test("a second signal ends at once, and the command too", async (t) => {
  const { start } = await world(t);
  const deaf = "trap 'echo told' INT; echo begun; while :; do sleep 0.05; done";
  const running = start(["lock", "job", "--", "sh", "-c", deaf]);
  assert.equal(await running.line(), "begun");
  running.kill("SIGINT");
  assert.equal(await running.line(), "told");
  running.kill("SIGTERM");
  assert.equal(await running.line(), undefined);
  assert.equal((await running.ending).signal, "SIGTERM");
});

test("an election has a leader with a value that others read", async (t) => {
  const { at, start, store } = await world(t);
  const leader = start(["elect", "boss", "--value=10.0.0.7:80", "--ttl=30s"]);
  assert.equal(await leader.line(), "2");
  assert.match(
    (await at(["list", "boss/"])).stdout,
    /^Key\t\| Value\nboss\/[\da-f]{16}\t\| 10\.0\.0\.7:80\n$/,
  );
  assert.deepEqual([...store.leases.values()], [30n]);
  store.end(store.leases.keys().next().value ?? 0n);
  const { code, stderr } = await leader.ending;
  assert.equal(code, 1);
  assert.match(stderr, /was deleted|lease is lost/);
});
