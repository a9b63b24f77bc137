import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

import { commandNames } from "../src/command-table.ts";
import { formatDuration, parseDuration } from "../src/duration.ts";
import { version } from "../src/version.ts";
import { dkvctl } from "./dkvctl.ts";

/** What is typed, and the one line that answers it. */
const mistakes: readonly (readonly [words: readonly string[], answer: RegExp])[] = [
  [["gte", "k"], /^dkvctl: unknown command "gte": did you mean get\?$/],
  [
    ["frobnicate"],
    /^dkvctl: unknown command "frobnicate": there are get, set, delete, list, watch, .*, completion$/,
  ],
  [["member-leaf", "a"], /^dkvctl: unknown command "member-leaf": did you mean member-leave\?$/],
  [["member-add", "a", "b:1"], /^dkvctl: unknown command "member-add": did you mean member-join\?$/],
  // One slip away from a name that only other systems have; member-leave is not much further.
  [["member-ad", "a", "b:1"], /^dkvctl: unknown command "member-ad": did you mean member-join\?$/],
  [["join", "a", "b:1"], /^dkvctl: unknown command "join": did you mean member-join\?$/],
  [["members"], /^dkvctl: unknown command "members": did you mean member-list\?$/],
  [["member", "add", "a", "b:1"], /^dkvctl: unknown command "member": did you mean member-join\?$/],
  [["member", "list"], /^dkvctl: unknown command "member": did you mean member-list\?$/],
  [["foo", "--help"], /^dkvctl: unknown command "foo": there are get, set, /],
  [["--timeout", "1s", "gte", "get", "-h"], /^dkvctl: unknown command "gte": did you mean get\?$/],
  [["help", "member-leaf"], /^dkvctl: unknown command "member-leaf": did you mean member-leave\?$/],
  [["put", "k", "v"], /^dkvctl: unknown command "put": did you mean set\?$/],
  [["member-join", "dkv-3"], /^dkvctl: too few words: write dkvctl member-join <ID> <ADDRESS>$/],
  [
    ["member-replace", "a", "b"],
    /^dkvctl: too few words: write dkvctl member-replace <OLD> <NEW> <ADDRESS>$/,
  ],
  [["member-leave", "a", "b"], /^dkvctl: one word too many, "b": write dkvctl member-leave <ID>/],
  [["move-leader", "\ufffd", "--endpoint=a:1"], /^dkvctl: ID is not valid UTF-8: write it in UTF-8/],
  [["get"], /^dkvctl: too few words: write dkvctl get <KEY>$/],
  [["set", "k"], /^dkvctl: too few words: write dkvctl set <KEY> <VALUE>$/],
  [["get", "a", "b"], /^dkvctl: one word too many, "b": write dkvctl get <KEY>/],
  [["get", "k", "--endpont=x"], /^dkvctl: unknown flag --endpont: did you mean --endpoint\?$/],
  [
    ["get", "-k"],
    /^dkvctl: unknown flag -k: if it is meant to be no flag, write -- before it; else see dkvctl get --help$/,
  ],
  // Values, if they come from a script: nothing would be set, and 0 say that it was.
  [
    ["set", "k", "-v"],
    /^dkvctl: unexpected -v: if it is meant to be no flag, write -- before it; else see dkvctl set --help$/,
  ],
  [["set", "k", "-h"], /^dkvctl: unexpected -h: if it is meant to be no flag, write -- before it; else see/],
  [["set", "k", "--help"], /^dkvctl: unexpected --help: if it is meant to be no flag/],
  [["set", "k", "--version"], /^dkvctl: unexpected --version: if it is meant to be no flag/],
  [["set", "-v", "k"], /^dkvctl: unexpected -v: /],
  [["set", "-h", "--", "k"], /^dkvctl: unexpected -h: /],
  [["set", "-5", "-h"], /^dkvctl: unexpected -h: /],
  [["set", "k", "text", "-v"], /^dkvctl: unexpected -v: /],
  [["get", "-v"], /^dkvctl: unexpected -v: /],
  [["user", "add", "-v"], /^dkvctl: unexpected -v: .* see dkvctl user add --help$/],
  [["user", "add", "ann", "-h"], /^dkvctl: unexpected -h: /],
  [["gte", "-v"], /^dkvctl: unknown command "gte": did you mean get\?$/],
  [["set", "k", "v", "--serializable"], /^dkvctl: unknown flag --serializable/],
  [["get", "k", "--serializable=yes"], /^dkvctl: --serializable takes no value/],
  [["get", "k"], /^dkvctl: no endpoint given: add --endpoint=localhost:3000, or set DKVCTL_ENDPOINT$/],
  [["get", "k", "--endpoint"], /^dkvctl: --endpoint needs a value: host:port of a member;/],
  [["get", "k", "--endpoint="], /^dkvctl: no endpoint given/],
  [["get", "k", "--endpoint=a:b"], /^dkvctl: "a:b" is not an endpoint: write host:port/],
  [["get", "k", "--endpoint=a:1", "--cert=c"], /^dkvctl: --cert is given without --key/],
  [["get", "k", "--endpoint=a:1", "--key=c"], /^dkvctl: --key is given without --cert/],
  [
    ["get", "k", "--endpoint=a:1", "--cacert=a", "--cacert=b"],
    /^dkvctl: --cacert is given more than once: give it once$/,
  ],
  [
    ["get", "k", "--endpoint=a:1", "-o", "xml"],
    /^dkvctl: --output xml is no form of output: write one of json, table, value$/,
  ],
  [
    ["get", "k", "--endpoint=a:1", "--timeout=1d"],
    /^dkvctl: --timeout 1d is not a duration: write seconds, or a number with ms, s, m or h, for example 5s/,
  ],
  [
    ["get", "k", "--endpoint=a:1", "--timeout=0s"],
    /^dkvctl: --timeout 0s is not between 1ms and 24h: write for example 5s$/,
  ],
  [
    ["get", "k", "--endpoint=http://a:1", "--cacert=a"],
    /^dkvctl: TLS files are given and the endpoints say http:\/\//,
  ],
  [["get", "\ufffd", "--endpoint=a:1"], /^dkvctl: KEY is not valid UTF-8: write it in UTF-8/],
  [
    ["set", "k", "\ufffd", "--endpoint=a:1"],
    /^dkvctl: the value is not valid UTF-8: give it on standard input/,
  ],
  [["get", "", "--endpoint=a:1"], /^dkvctl: KEY is empty: a key has at least one byte$/],
  [["set", "", "v", "--endpoint=a:1"], /^dkvctl: KEY is empty/],
  [["delete", "", "--endpoint=a:1"], /^dkvctl: KEY is empty/],
  [["member-leave", "", "--endpoint=a:1"], /^dkvctl: ID is empty: write the name of a member/],
  [["member-replace", "", "b", "h:1", "--endpoint=a:1"], /^dkvctl: OLD is empty: write the name of/],
  [["member-replace", "a", "", "h:1", "--endpoint=a:1"], /^dkvctl: NEW is empty: write the name of/],
  [
    ["member-join", "x", "localhost", "--endpoint=a:1"],
    /^dkvctl: ADDRESS is "localhost": write HOST:PORT, such as localhost:2383 or \[::1\]:2383/,
  ],
  [["member-join", "x", "", "--endpoint=a:1"], /^dkvctl: ADDRESS is empty: write HOST:PORT/],
  [["member-update", "x", ":2380", "--endpoint=a:1"], /^dkvctl: ADDRESS is ":2380": write HOST:PORT/],
  [["member-update", "x", "h:0", "--endpoint=a:1"], /^dkvctl: ADDRESS is "h:0": write HOST:PORT/],
  [["member-update", "x", "h:65536", "--endpoint=a:1"], /^dkvctl: ADDRESS is "h:65536": write HOST:PORT/],
  [["member-update", "x", "::1:80", "--endpoint=a:1"], /^dkvctl: ADDRESS is "::1:80": write HOST:PORT/],
  [["snapshot", "save", "", "--endpoint=a:1"], /^dkvctl: FILE is empty: write the name of a file/],
  [
    ["snapshot", "status", "none", "--timeout=soon"],
    /^dkvctl: --timeout soon is not a duration: write seconds, or/,
  ],
  [["set", "k", "v", "--endpoint=a:1", "--ttl=0s"], /^dkvctl: --ttl 0s is too short: write at least 1s$/],
  [["set", "k", "v", "--endpoint=a:1", "--ttl=1d"], /^dkvctl: --ttl 1d is not a duration: write seconds, or/],
  [
    ["set", "k", "v", "--endpoint=a:1", "--ttl=30m", "--lease=a1"],
    /^dkvctl: --ttl and --lease are both given: a key has a time to live of its own, or a lease$/,
  ],
  [
    ["set", "k", "v", "--endpoint=a:1", "--if-absent", "--if-version=1"],
    /^dkvctl: --if-absent and --if-version are both given: give the one that is meant$/,
  ],
  [
    ["lease", "grant", "60s", "--id=xyz", "--endpoint=a:1"],
    /^dkvctl: --id "xyz" can be no lease's ID: write/,
  ],
  [["lease", "grant", "60s", "--id=0", "--endpoint=a:1"], /^dkvctl: --id "0" can be .* or leave out --id /],
  [["restore", "x"], /^dkvctl: unknown command "restore": dkv restore FILE does that/],
  [["snapshot", "restore", "x"], /^dkvctl: unknown command "snapshot restore": dkv restore FILE does/],
  [["snapshot", "status", "none", "-o", "xml"], /^dkvctl: --output xml is no form of output/],
  [["completion", "fish"], /^dkvctl: no completion for the shell "fish"/],
];

for (const [words, answer] of mistakes) {
  test(`"dkvctl ${words.join(" ")}" ends with 2 and one line that helps`, async () => {
    const { code, stdout, stderr } = await dkvctl(words);
    assert.match(stderr.replace(/\n$/, ""), answer);
    assert.deepEqual({ code, stdout }, { code: 2, stdout: "" });
  });
}

test("without a command the help goes to standard error, with 2", async () => {
  const { code, stdout, stderr } = await dkvctl([]);
  assert.match(
    stderr,
    /^Usage: dkvctl COMMAND \[flags\]\n.*\ndkvctl: no command given: write one of those above\n$/s,
  );
  assert.deepEqual({ code, stdout }, { code: 2, stdout: "" });
});

test("--help has commands, flags with their variables, and examples", async () => {
  const { code, stdout, stderr } = await dkvctl(["--help"]);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
  for (const part of [
    "dkvctl member-list",
    "[$DKVCTL_ENDPOINT]",
    "[$DKVCTL_CACERT]",
    "Examples:",
    "dkvctl set greeting hello",
  ]) {
    assert.ok(stdout.includes(part), `${part} is missing in:\n${stdout}`);
  }
  assert.equal((await dkvctl(["help"])).stdout, stdout);
  const forSet = await dkvctl(["set", "--help"]);
  assert.match(
    forSet.stdout,
    /^Usage: dkvctl set <KEY> <VALUE> \[flags\]\n.*dkvctl set picture - < cat\.png/s,
  );
  assert.equal((await dkvctl(["help", "set"])).stdout, forSet.stdout);
  assert.equal((await dkvctl(["-h", "set"])).stdout, forSet.stdout);
  assert.equal((await dkvctl(["--endpoint", "get:1", "-o", "x", "set", "--help"])).stdout, forSet.stdout);
});

test("the commands in help are whole, to be copied", async () => {
  const whole = [
    [["lease", "grant"], `  dkvctl set here yes --lease="$(dkvctl lease grant 60s)"\n`],
    [["lock"], "  dkvctl lock nightly -- sh -c 'echo $DKV_FENCING_TOKEN'\n"],
    [["export"], "  dkvctl export users/ | dkvctl import - --endpoint=other:3000\n"],
  ] as const;
  for (const [words, example] of whole) {
    const { stdout } = await dkvctl([...words, "--help"]);
    assert.ok(stdout.includes(example), stdout);
  }
});

test("--version is that of the package", async () => {
  for (const words of [["--version"], ["-v"], ["--endpoint", "a:1", "-v"]])
    assert.deepEqual(await dkvctl(words).then(({ code, stdout }) => ({ code, stdout })), {
      code: 0,
      stdout: `${version()}\n`,
    });
});

test("the completion script for bash completes commands, flags and values", async () => {
  const { stdout } = await dkvctl(["completion"], { environment: { SHELL: "/bin/bash" } });
  const complete = async (...words: readonly string[]): Promise<readonly string[]> => {
    const ask = `COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _dkvctl; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const result = await promisify(execFile)("bash", ["-c", `${stdout}\n${ask}`, "bash", "dkvctl", ...words]);
    return result.stdout.split("\n").filter((line) => line !== "");
  };
  assert.deepEqual(await complete("member-l"), ["member-list", "member-leave"]);
  assert.deepEqual(await complete("mo"), ["move-leader"]);
  assert.deepEqual(await complete("member-join", "dkv-3", "--tim"), ["--timeout"]);
  assert.deepEqual(await complete("get", "--s"), ["--serializable"]);
  assert.deepEqual(await complete("set", "--s"), []);
  assert.deepEqual(await complete("get", "k", "-o", "j"), ["json"]);
  assert.deepEqual(await complete("--endp"), ["--endpoint"]);
  assert.deepEqual(await complete("completion", ""), [
    "bash",
    "zsh",
    ...(await complete("completion", "--")),
  ]);
});

test("the completion script for zsh names every command", async () => {
  const { stdout } = await dkvctl(["completion", "zsh"]);
  assert.match(stdout, /^#compdef dkvctl\n/);
  for (const name of commandNames) assert.ok(stdout.includes(`'${name}:`), name);
});

test("durations add up", () => {
  const readings = { "5": 5000, "5s": 5000, "500ms": 500, "1m30s": 90_000, "1.5s": 1500, "1h": 3_600_000 };
  for (const [text, durationMs] of Object.entries(readings))
    assert.equal(parseDuration(text), durationMs, text);
  for (const text of ["", "s", "-5s", "5 s", "5s,", "1d", "1e3s"])
    assert.equal(parseDuration(text), undefined, text);
});

test("durations are said with as much as matters", () => {
  const readings = [
    [0, "0ms"],
    [999, "999ms"],
    [3456, "3.4s"],
    [59_999, "59.9s"],
    [310_000, "5m10s"],
    [3_599_999, "59m59s"],
    [11_520_000, "3h12m"],
  ] as const;
  for (const [durationMs, text] of readings) assert.equal(formatDuration(durationMs), text);
});
