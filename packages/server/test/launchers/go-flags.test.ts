import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { helpText, readGoFlags } from "../../src/launchers/go-flags.ts";
import { refusal } from "./refusal.ts";

const flags = {
  http: { kind: "text", default: "127.0.0.1:6000", describe: "address for clients" },
  join: { kind: "text", default: "", describe: "whom to join" },
  bootstrap: { kind: "switch", default: "false", describe: "begin a cluster" },
} as const;

const defaults = { http: "127.0.0.1:6000", join: "", bootstrap: "false" };
const read = (line: string): unknown => readGoFlags(line.split(" ").filter(Boolean), flags);

describe("flags as Go has them", () => {
  it("may have one dash or two, and their value behind a = or as the next argument", () => {
    for (const line of ["-join=a:1", "--join=a:1", "-join a:1", "--join a:1"])
      assert.deepEqual(read(line), { ...defaults, join: "a:1" }, line);
    assert.deepEqual(read(""), defaults);
    assert.deepEqual(read("-join="), defaults);
    assert.deepEqual(readGoFlags(["-join", "-http=x"], flags), { ...defaults, join: "-http=x" });
    assert.deepEqual(read("-join=a=b"), { ...defaults, join: "a=b" });
    assert.deepEqual(read("-join=a -join=b"), { ...defaults, join: "b" });
  });

  it("are true when they stand alone, if they are switches, and false by many words", () => {
    for (const word of ["1", "t", "T", "true", "TRUE", "True"])
      assert.deepEqual(read(`-bootstrap=${word}`), { ...defaults, bootstrap: "true" });
    for (const word of ["0", "f", "F", "false", "FALSE", "False"])
      assert.deepEqual(read(`-bootstrap=${word}`), defaults);
    assert.deepEqual(read("--bootstrap -join a"), { ...defaults, bootstrap: "true", join: "a" });
  });

  it("are refused when they mean nothing", () => {
    const refused = (line: string, pattern: RegExp): void => {
      assert.throws(() => read(line), refusal(pattern), line);
    };
    refused("-bootstrap=yes", /^-bootstrap is "yes": write -bootstrap=true or -bootstrap=false$/);
    refused("-bootstrap true", /^"true" is no flag/);
    refused("-nod=1", /^there is no flag -nod; there are -http, -join, -bootstrap$/);
    refused("-join", /^-join has no value/);
    for (const word of ["---join=a", "-", "--", "-=a", "a"]) refused(word, /is no flag: write -NAME=VALUE/);
  });

  it("give help for those who ask", () => {
    for (const word of ["-h", "--h", "-help", "--help"]) assert.equal(read(word), undefined);
    const help = helpText("program [flags]", flags);
    assert.match(
      help,
      /^Usage: program \[flags\]\n {2}-http\n {4}\taddress for clients \(default 127\.0\.0\.1:6000\)/,
    );
  });
});
