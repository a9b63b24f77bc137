import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import { Retry } from "@dkv/protocol/dkv/v1/dkv";

import { refusal } from "../../client/test/scripted-member.ts";
import { keysOf } from "../src/commands/auth.ts";
import { brief, printed, silence, world } from "./fixture.ts";

async function file(t: TestContext, text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "dkvctl-"));
  t.after(() => rm(directory, { recursive: true }));
  await writeFile(join(directory, "file"), text);
  return join(directory, "file");
}

test("conditions of set and delete hold, or the exit status is 5 and nothing is written", async (t) => {
  const { at, store } = await world(t);
  const failed = { code: 5, stdout: "", stderr: "dkvctl: refused: precondition_failed\n" };
  assert.deepEqual(brief(await at(["set", "k", "1", "--if-absent"])), silence);
  assert.deepEqual(brief(await at(["set", "k", "2", "--if-absent"])), failed);
  assert.deepEqual(brief(await at(["set", "k", "2", "--if-version=0"])), failed);
  assert.deepEqual(brief(await at(["set", "k", "2", "--if-version", "1", "--previous"])), printed("1\n"));
  assert.deepEqual(brief(await at(["delete", "k", "--if-rev=2"])), failed);
  assert.equal(store.text("k"), "2");
  const deleted = await at(["delete", "k", "--if-version=2", "--previous", "-o", "json"]);
  const { previous, ...rest } = JSON.parse(deleted.stdout);
  assert.deepEqual([previous.value, previous.version, rest.deleted], ["2", 2, true]);
});

test("get shows history, metadata and prefixes", async (t) => {
  const { at } = await world(t);
  await at(["set", "a/1", "x"]);
  await at(["set", "a/1", "y"]);
  await at(["set", "a/2", "z\n"]);
  assert.deepEqual(brief(await at(["get", "a/1", "--rev=2"])), printed("x\n"));
  assert.deepEqual(
    brief(await at(["get", "a/1", "--meta"])),
    printed(
      "Key\t| Value\t| Create Revision\t| Mod Revision\t| Version\t| Lease\na/1\t| y\t| 2\t| 3\t| 2\t| \n",
    ),
  );
  assert.deepEqual(
    brief(await at(["get", "--prefix", "a/"])),
    printed("Key\t| Value\na/1\t| y\na/2\t| z\\n\n"),
  );
  assert.deepEqual(brief(await at(["get", "", "--prefix", "-o", "value"])), printed("y\nz\n\n"));
  assert.deepEqual(brief(await at(["get", "--prefix", "none/"])), printed("Key\t| Value\n"));
  const past = await at(["get", "a/1", "--rev=99"]);
  assert.deepEqual(brief(past), { code: 1, stdout: "", stderr: "dkvctl: refused: future_revision\n" });
});

test("no two values, and no two keys, look the same in a table", async (t) => {
  const { at } = await world(t);
  const values = ["a\nb", "a\\nb", Buffer.from([0, 255]), "base64:AP8="];
  for (const [place, input] of values.entries()) await at(["set", `k${place}`, "-"], { input });
  await at(["set", "k\\n", ""]);
  assert.deepEqual(
    brief(await at(["list"])),
    printed(
      "Key\t| Value\nk0\t| a\\nb\nk1\t| a\\\\nb\nk2\t| base64:AP8=\n" +
        "k3\t| base64:YmFzZTY0OkFQOD0=\nk\\\\n\t| \n",
    ),
  );
});

test("list has one line for each key, and as many as are wanted", async (t) => {
  const { at } = await world(t);
  for (const key of ["b", "a/2", "a/1"]) await at(["set", key, "v"]);
  assert.deepEqual(brief(await at(["list", "-o", "value"])), printed("a/1\na/2\nb\n"));
  assert.deepEqual(brief(await at(["list", "a/", "--keys-only"])), printed("Key\na/1\na/2\n"));
  const { stdout } = await at(["list", "--limit=1", "--keys-only", "-o", "json"]);
  assert.deepEqual(JSON.parse(stdout), { key: "a/1", create_revision: 4, mod_revision: 4, version: 1 });
});

test("a time to live is sent in seconds, and a lease as it is printed", async (t) => {
  const { at, store } = await world(t);
  const { stdout: id } = await at(["lease", "grant", "1m"]);
  assert.match(id, /^[\da-f]{16}\n$/);
  assert.deepEqual(brief(await at(["set", "k", "v", "--lease", id.trim()])), silence);
  assert.equal(store.entry("k")?.lease, BigInt(`0x${id.trim()}`));
  assert.match((await at(["get", "k", "--meta"])).stdout, new RegExp(`${id.trim()}\n$`));
  assert.equal(JSON.parse((await at(["get", "k", "-o", "json"])).stdout).lease, id.trim());
});

test("a transaction is read from a file and from standard input", async (t) => {
  const { at, store } = await world(t);
  await at(["set", "stock/pears", "3"]);
  const text = `# sell one
if value stock/pears = 3
if missing "sold/big pears"   # no mistake
then
  set stock/pears 2 --previous
  set "sold/big pears" "yes # really"
  get --prefix "" --limit 1
  delete nobody
else
  get stock/pears
`;
  const path = await file(t, text);
  const first = await at(["txn", path]);
  assert.deepEqual(
    brief(first),
    printed(
      [
        "succeeded\t| revision 3",
        "set\t| before\t| stock/pears\t| 3",
        "set",
        "get\t| sold/big pears\t| yes # really",
        "get\t| 1 of 2 keys",
        "delete\t| 0",
        "",
      ].join("\n"),
    ),
  );
  assert.equal(store.text("sold/big pears"), "yes # really");
  const again = await at(["txn", "-o", "json"], { input: text });
  const { succeeded, results } = JSON.parse(again.stdout);
  assert.deepEqual([succeeded, results[0].get.found[0].value], [false, "2"]);
  assert.deepEqual(brief(await at(["txn", "-o", "value"], { input: text })), printed("2\n"));
});

const mistakes: readonly (readonly [text: string, complaint: RegExp])[] = [
  ["set a b", /line 1: "set" stands after "then" or "else"/],
  ["then\nput a b", /line 2: "put" is no operation: write get, set or delete/],
  ["if version a ~ 3\nthen\nget a", /line 1: "~" is no relation: write =, !=, < or >/],
  ["if size a = 3\nthen\nget a", /line 1: "size" cannot be compared: write exists/],
  ["if version a = x\nthen\nget a", /line 1: the version x is no number/],
  ["if exists a\n\n\nthen\nset a", /line 5: the value is missing/],
  ['then\nset a "b', /line 2: a string has no end/],
  ["then\nset a b c", /line 2: one word too many, "c"/],
  ["then\nget a --ttl 3s", /line 2: --ttl has no meaning here/],
  ["then\nget a --nothing", /line 2: there is no flag --nothing/],
  ["then\nset a b --ttl", /line 2: --ttl needs a value/],
  ["then\nset a b --ttl 1.5s", /line 2: --ttl 1.5s is not a number of whole seconds/],
  ["else\nget a\nthen", /line 3: there is a "then" already, or an "else" before it/],
  ["then\nif exists a", /line 2: "if" stands before/],
  ["if exists a", /the transaction does nothing/],
  ['then\nset "\\ud800" b', /line 2: the key is not well-formed Unicode/],
  ["then\nget --prefix a --limit 4294967296", /line 2: the limit is 4294967296: give at most 4294967295/],
];

test("what makes no sense in a transaction is one line with its number, and nothing is asked", async (t) => {
  const { at, member } = await world(t);
  for (const [input, complaint] of mistakes) {
    const { code, stdout, stderr } = await at(["txn"], { input });
    assert.deepEqual([code, stdout, stderr.split("\n").length], [2, "", 2], stderr);
    assert.match(stderr, complaint);
  }
  assert.deepEqual(member.calls, []);
});

test("what is exported is imported, and bytes come back", async (t) => {
  const [from, to] = [await world(t), await world(t)];
  await from.at(["set", "k", "ü"]);
  await from.at(["set", "bytes", "-"], { input: Buffer.from([0, 255]) });
  await from.at(["set", "other", "-"], { input: "" });
  const { stdout, stderr } = await from.at(["export"]);
  assert.equal(stderr, "");
  assert.equal(
    stdout,
    '{"key":"bytes","value_base64":"AP8="}\n{"key":"k","value":"ü"}\n{"key":"other","value":""}\n',
  );
  const done = { code: 0, stdout: "", stderr: "3 keys set\n" };
  assert.deepEqual(brief(await to.at(["import", "-"], { input: stdout })), done);
  assert.deepEqual(to.store.keys, ["bytes", "k", "other"]);
  assert.deepEqual([...(to.store.entry("bytes")?.value ?? [])], [0, 255]);
  const some = await from.at(["export", "o", "-o", "table"]);
  assert.equal(some.stdout, '{"key":"other","value":""}\n');
});

test("an import that breaks off says where to go on", async (t) => {
  const { at, store, member } = await world(t);
  const lines = Array.from({ length: 20 }, (_, index) => `{"key":"k${index}","value":"v"}`);
  member.script = ({ key }) => {
    if (key === "k7") throw refusal("no_space", Retry.NEVER);
  };
  const path = await file(t, `${lines.join("\n")}\n`);
  const { code, stderr } = await at(["import", path]);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^dkvctl: refused: no_space; \d+ keys were set, and all lines before 8: go on with --from-line=8\n$/,
  );
  member.script = () => {};
  const rest = await at(["import", path, "--from-line=8", "-o", "json"]);
  assert.deepEqual(JSON.parse(rest.stdout), { imported: 13, lines: 20 });
  assert.equal(store.keys.length, 20);
});

test("of two lines with one key the last one stays, whatever is sent again", async (t) => {
  const { at, store, member } = await world(t);
  let refusals = 2;
  member.script = ({ key }) => {
    if (key !== "k" || refusals === 0) return;
    refusals -= 1;
    throw refusal("no_leader", Retry.NOT_APPLIED);
  };
  const lines = ["old", "older", "new"].map((value) => JSON.stringify({ key: "k", value }));
  const { code } = await at(["import", "-"], { input: [...lines, '{"key":"other","value":""}'].join("\n") });
  assert.deepEqual([code, store.text("k"), store.entry("k")?.version], [0, "new", 3n]);
});

test("a line that is no key and value ends an import, with its number", async (t) => {
  const { at, store } = await world(t);
  for (const [line, reason] of [
    ["nonsense", /line 2 is no key and value: Unexpected token/],
    ['"text"', /it is no JSON object/],
    ['{"value":"v"}', /"key" is no text, or empty/],
    ['{"key":"k","value":3}', /"value" is no text/],
    ['{"key":"k","value_base64":"?"}', /"value_base64" is no base64/],
    ['{"key_base64":"/w==","value":""}', /its key is no text/],
    ['{"key":"k","value":"v","ttl":5}', /line 2 .*: "ttl" has no meaning here: there are key, value and/],
    ['{"key":"k","value":"v","value_base64":"dg=="}', /it has both value and value_base64/],
    [Buffer.from('{"key":"k","value":"\u00ff"}', "latin1"), /^dkvctl: line 2 is not valid UTF-8; /],
  ] as const) {
    const lines = ['{"key":"a","value":"b"}\n', line, "\n"].map((each) => Buffer.from(each));
    const { code, stderr } = await at(["import", "-"], { input: Buffer.concat(lines) });
    assert.equal(code, 1);
    assert.match(stderr, reason);
    assert.match(stderr, /1 key was set, and all lines before 2: go on with --from-line=2\n$/);
  }
  assert.deepEqual(store.keys, ["a"]);
  const missing = await at(["import", "/nowhere/at/all"]);
  assert.equal(missing.stderr, "dkvctl: cannot read /nowhere/at/all: no such file or directory\n");
});

test("an import takes a byte order mark and what only some take for line ends, and counts lines", async (t) => {
  const { at, store } = await world(t);
  const input = '\ufeff{"key":"k","value":"a\u2028b"}\r\n\n{"key":"\ufffd","value":"last"}';
  const all = await at(["import", "-"], { input });
  assert.deepEqual([all.code, all.stderr, store.text("k")], [0, "2 keys set\n", "a\u2028b"]);
  assert.equal(store.text("\ufffd"), "last");
  const one = await at(["import", "-", "--from-line=3"], { input });
  assert.deepEqual([one.code, one.stderr], [0, "1 key set\n"]);
  for (const [from, complaint] of [
    ["0", "dkvctl: --from-line 0 is no line: the first one is 1\n"],
    ["100", "dkvctl: --from-line 100 is past the end: there are 3 lines\n"],
  ] as const) {
    const { code, stderr } = await at(["import", "-", `--from-line=${from}`], { input });
    assert.deepEqual([code, stderr], [2, complaint]);
  }
});

test("a transaction that is not UTF-8 is not guessed at", async (t) => {
  const { at, member } = await world(t);
  const { code, stderr } = await at(["txn"], { input: Buffer.from("then\nset k \u00ff\n", "latin1") });
  assert.deepEqual([code, stderr, member.calls.length], [1, "dkvctl: line 2 is not valid UTF-8\n", 0]);
});

test("all keys that begin so are deleted, and counted; an empty prefix has to be meant", async (t) => {
  const { at, store } = await world(t);
  for (const key of ["a/1", "a/2", "b", "c"]) await at(["set", key, "v"]);
  assert.deepEqual(brief(await at(["delete", "--prefix", "a/"])), printed("2\n"));
  assert.deepEqual(brief(await at(["delete", "--prefix", "a/"])), printed("0\n"));
  assert.deepEqual(store.keys, ["b", "c"]);
  const previous = await at(["delete", "b", "--prefix", "--previous"]);
  assert.deepEqual(brief(previous), printed("Key\t| Previous\nb\t| v\n"));
  for (const [words, complaint] of [
    [
      ["--prefix", ""],
      /^dkvctl: an empty prefix deletes every key: if that is meant, write --prefix "" --all\n$/,
    ],
    [["c", "--all"], /^dkvctl: --all needs --prefix/],
    [["c", "--prefix", "--if-version=1"], /^dkvctl: --if-version and --if-rev are about one key/],
  ] as const) {
    const { code, stderr } = await at(["delete", ...words]);
    assert.equal(code, 2);
    assert.match(stderr, complaint);
  }
  assert.deepEqual(store.keys, ["c"]);
  const { stdout } = await at(["delete", "--prefix", "", "--all", "-o", "json"]);
  assert.equal(JSON.parse(stdout).deleted, 1);
});

test("a permission ends behind its beginning by bytes, in which UTF-16 has another order", () => {
  const [first, second] = ["\uff21", "\u{10000}"];
  const named = { isPrefix: false, isFromKey: false };
  assert.deepEqual(keysOf({ key: first, end: second, ...named }), { from: first, before: second });
  for (const end of [first, second])
    assert.throws(() => keysOf({ key: second, end, ...named }), { message: /END is not behind KEY/ });
});

test("get --prefix has as many as are wanted", async (t) => {
  const { at } = await world(t);
  for (const key of ["a/1", "a/2"]) await at(["set", key, "v"]);
  assert.deepEqual(
    brief(await at(["get", "--prefix", "a/", "--limit=1"])),
    printed("Key\t| Value\na/1\t| v\n"),
  );
  assert.deepEqual(brief(await at(["get", "a/1", "--limit=1"])), {
    code: 2,
    stdout: "",
    stderr: "dkvctl: --limit needs --prefix\n",
  });
});

test("compact and status say what they did and found", async (t) => {
  const { at, member } = await world(t);
  await at(["set", "k", "1"]);
  await at(["set", "k", "2"]);
  assert.deepEqual(brief(await at(["compact", "3", "--wait"])), silence);
  assert.equal((await at(["get", "k", "--rev=2"])).stderr, "dkvctl: refused: compacted\n");
  member.servers = [
    { id: "dkv-0", rpcAddress: member.endpoint },
    { id: "dkv-1", isLearner: true },
  ];
  member.status = {
    id: "dkv-0",
    version: "0.1.0",
    isLeader: true,
    dataBytes: 5n << 20n,
    logBytes: 12n,
    alarms: ["no space"],
  };
  const { code, stdout, stderr } = await at(["status"]);
  assert.equal(code, 1);
  assert.equal(stderr, "dkvctl: no answer from dkv-1: nobody knows where it serves its clients\n");
  assert.equal(
    stdout.split("\n")[1],
    "dkv-0\t| leader\t| 0.1.0\t| 9\t| 0\t| 5.0 MiB\t| 12 B\t| none\t| 2\t| 12\t| no space",
  );
  member.servers = member.servers.slice(0, 1);
  const json = await at(["status", "-o", "json"]);
  assert.equal(JSON.parse(json.stdout).members[0].data_bytes, 5 << 20);
  assert.deepEqual(brief(await at(["status", "-o", "value"])), printed("dkv-0\n"));
});
