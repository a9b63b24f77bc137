import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { createLogger } from "../../src/platform/logger.ts";
import { StartupError } from "../../src/platform/startup-error.ts";

const directory = mkdtempSync(join(tmpdir(), "dkv-logger-"));
after(() => {
  rmSync(directory, { recursive: true });
});

describe("lines of the log", () => {
  it("have the names that etcd gives to what is in each, where that is asked for", () => {
    const file = join(directory, "zap.log");
    createLogger({ level: "warn", format: "zap", outputs: [file] }).warn({ member: "m1" }, "so it is");
    const { ts, ...line } = JSON.parse(readFileSync(file, "utf8")) as { ts: string };
    assert.deepEqual(line, { level: "warn", member: "m1", msg: "so it is" });
    assert.ok(!Number.isNaN(Date.parse(ts)));
  });

  it("go to all files alike, behind what is in them, and those below the level to none", () => {
    const files = ["a.log", "b.log"].map((name) => join(directory, name));
    for (const word of ["one", "two"]) {
      const logger = createLogger({ level: "debug", format: "json", outputs: files });
      logger.debug(word);
      logger.trace("never");
    }
    const linesIn = (file: string) =>
      readFileSync(file, "utf8")
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { msg: string }).msg);
    assert.deepEqual(files.map(linesIn), [
      ["one", "two"],
      ["one", "two"],
    ]);
    const text = join(directory, "text.log");
    createLogger({ level: "info", format: "text", outputs: [text] }).info("in words");
    assert.match(readFileSync(text, "utf8"), /INFO: in words\n$/);
  });

  it("that cannot go where they are to go keep the member from starting", () => {
    const file = join(directory, "missing", "a.log");
    assert.throws(
      () => createLogger({ level: "info", format: "json", outputs: [file] }),
      (error) => error instanceof StartupError && error.message.startsWith(`cannot log to ${file}`),
    );
  });
});
