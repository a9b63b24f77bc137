import assert from "node:assert/strict";
import { join } from "node:path";
import { Writable } from "node:stream";
import { test } from "node:test";
import pino from "pino";
import { StartupError } from "../../src/platform/startup-error.ts";
import { noteRemoval, refuseRemoved } from "../../src/storage/removal-note.ts";
import { temporaryDirectory } from "./fixtures.ts";

function logger(): { readonly logger: pino.Logger; readonly lines: string[] } {
  const lines: string[] = [];
  const stream = new Writable({
    write(line: Buffer, _encoding, done) {
      lines.push(line.toString());
      done();
    },
  });
  return { logger: pino(stream), lines };
}

test("a member that was removed does not start again", async (context) => {
  const dataDir = await temporaryDirectory(context);
  refuseRemoved(dataDir);
  noteRemoval(dataDir, logger().logger);
  assert.throws(() => refuseRemoved(dataDir), StartupError);
});

test("a disk that does not take the note is logged, and no more", async (context) => {
  const { logger: log, lines } = logger();
  noteRemoval(join(await temporaryDirectory(context), "gone"), log);
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", /could not note that this member was removed/);
});
