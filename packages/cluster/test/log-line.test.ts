import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Paint, renderLogLine } from "../src/log-line.ts";
import { createLogStream } from "../src/log-stream.ts";

const plain: Paint = (_style, text) => text;
const marked: Paint = (style, text) => `<${style}>${text}</>`;

const event = (fields: object): string =>
  JSON.stringify({ level: "info", time: "2026-11-21T09:45:43.123Z", ...fields });

describe("a line of a member's log", () => {
  it("shows time, level, message and fields in this order", () => {
    const line = event({ term: 3, name: "dkv-0", msg: "became leader" });
    assert.deepEqual(renderLogLine(line, plain), ["09:45:43.123 info  became leader term=3 name=dkv-0"]);
  });

  it("quotes values that would not stand as one word", () => {
    const line = event({ reason: "no route", empty: "", list: [1, 2], msg: "lost" });
    assert.deepEqual(renderLogLine(line, plain), [
      '09:45:43.123 info  lost reason="no route" empty="" list=[1,2]',
    ]);
  });

  it("shows an error by its message, and its stack below", () => {
    const stack = "Error: disk is gone\n    at write (a.js:1:2)\n    at turn (b.js:3:4)";
    const line = event({
      level: "error",
      err: { type: "Error", message: "disk is gone", stack },
      msg: "stopping",
    });
    assert.deepEqual(renderLogLine(line, plain), [
      '09:45:43.123 error stopping err="disk is gone"',
      "    at write (a.js:1:2)",
      "    at turn (b.js:3:4)",
    ]);
  });

  it("paints warnings and errors, message included", () => {
    const [line] = renderLogLine(event({ level: "warn", msg: "slow" }), marked);
    assert.equal(line, "<dim>09:45:43.123</> <yellow>warn </> <yellow>slow</>");
  });

  for (const [what, line] of [
    ["plain text", "dkv: --name is missing"],
    ["half of an event", '{"level":"info","time":"2026'],
    ["JSON that is no object", "[1,2]"],
  ] as const) {
    it(`leaves ${what} as it is`, () => {
      assert.deepEqual(renderLogLine(line, plain), [line]);
    });
  }
});

describe("the stream of all logs", () => {
  it("puts each line under its member's name, all of one width", () => {
    const written: string[] = [];
    const stream = createLogStream(["a", "long"], { write: (text) => written.push(text), paint: plain });
    stream.memberLine("a", event({ msg: "one" }));
    stream.memberLine("long", "two");
    stream.say("three\n");
    assert.equal(written.join(""), "a    | 09:45:43.123 info  one\nlong | two\nthree\n\n");
  });

  it("gives each member a colour of its own", () => {
    const written: string[] = [];
    const stream = createLogStream(["a", "b"], { write: (text) => written.push(text), paint: marked });
    stream.memberLine("a", "x");
    stream.memberLine("b", "x");
    assert.equal(written.join(""), "<cyan>a |</> x\n<magenta>b |</> x\n");
  });
});
