/** What a person meets who writes a transaction at a terminal. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";

import type { FakeStore } from "../../client/test/fake-store.ts";
import { world } from "./fixture.ts";

const program = fileURLToPath(new URL("../bin/dkvctl.js", import.meta.url));

/** Whether a terminal can be had: util-linux has it. */
const noTerminal = spawnSync("script", ["--version"]).status === 0 ? false : "there is no script(1)";

interface Asked {
  readonly store: FakeStore;
  readonly code: unknown;
  /** What the terminal showed. */
  readonly shown: string;
}

/** Runs `dkvctl txn` at a terminal, types each line when it is asked for one, and then nothing more. */
async function ask(t: TestContext, typed: readonly string[]): Promise<Asked> {
  const { store, member } = await world(t);
  const command = `'${process.execPath}' '${program}' --endpoint=${member.endpoint} txn`;
  const child = spawn("script", ["-qec", command, "/dev/null"]);
  t.after(() => child.kill("SIGKILL"));
  const left = [...typed];
  let [shown, prompts] = ["", 0];
  child.stdout.on("data", (chunk: Buffer) => {
    shown += chunk.toString();
    const now = shown.match(/(?:if|then|else)> /g)?.length ?? 0;
    for (; prompts < now; prompts += 1) {
      const line = left.shift();
      if (line !== undefined) child.stdin.write(`${line}\n`);
    }
  });
  const [code] = await once(child, "close");
  return { store, code, shown: shown.replaceAll("\r", "") };
}

test("an interactive transaction ends when it is done, and warns of nothing", {
  skip: noTerminal,
}, async (t) => {
  const sets = Array.from({ length: 15 }, (_, index) => `set k${index} v`);
  const { store, code, shown } = await ask(t, ["missing k0", "", ...sets, "", ""]);
  assert.equal(code, 0);
  assert.match(shown, /else> \nsucceeded\t\| revision 2\nset\n/);
  assert.equal(store.keys.length, sets.length);
  assert.doesNotMatch(shown, /Warning/);
});

test("what stands in a file can be typed too, and what makes no sense is said", {
  skip: noTerminal,
}, async (t) => {
  const lines = [
    "# a comment",
    "foo",
    "if missing lock",
    "then",
    "then",
    "set lock me",
    "else",
    "get lock",
    "",
  ];
  const { store, code, shown } = await ask(t, lines);
  assert.equal(code, 0);
  assert.match(
    shown,
    /if> foo\n"foo" cannot be compared: write exists.* or lease; an empty line ends the con/,
  );
  assert.match(shown, /if> then\noperations if they hold.*\nthen> then\nthen> set lock me\nthen> else\noper/);
  assert.match(shown, /else> get lock\nelse> \nsucceeded/);
  assert.equal(store.text("lock"), "me");
});
