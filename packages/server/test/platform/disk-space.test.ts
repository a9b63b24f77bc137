import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { describe, it } from "node:test";
import { pino } from "pino";
import { formatBytes, freeBytes, watchDiskSpace } from "../../src/platform/disk-space.ts";

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A watch over a disk that answers when it is told to, by a clock that is moved by hand. */
function watched() {
  const questions: PromiseWithResolvers<number>[] = [];
  const told: number[] = [];
  const warnings: string[] = [];
  let isStopped = false;
  let second = () => {};
  const cancel = watchDiskSpace(
    "somewhere",
    {
      clock: {
        every(periodMs, callback) {
          assert.equal(periodMs, 1000);
          second = callback;
          return () => {
            isStopped = true;
          };
        },
      },
      logger: pino({ level: "warn" }, { write: (line: string) => void warnings.push(line) }),
      measure(path) {
        assert.equal(path, "somewhere");
        const question = Promise.withResolvers<number>();
        questions.push(question);
        return question.promise;
      },
    },
    (bytes) => told.push(bytes),
  );
  return { questions, told, warnings, cancel, isStopped: () => isStopped, second: () => second() };
}

describe("the room on a disk", () => {
  it("is what the system says", async () => {
    const bytes = await freeBytes(tmpdir());
    assert.ok(Number.isSafeInteger(bytes) && bytes > 0, String(bytes));
    await assert.rejects(freeBytes("/does/not/exist"), /ENOENT/);
  });

  it("is asked for at once and every second, but not while the last answer is awaited", async () => {
    const { questions, told, second } = watched();
    second();
    assert.equal(questions.length, 1);
    questions[0]?.resolve(7);
    await settled();
    second();
    assert.equal(questions.length, 2);
    questions[1]?.resolve(8);
    await settled();
    assert.deepEqual(told, [7, 8]);
  });

  it("stays what it was while it cannot be told, which is logged once", async () => {
    const { questions, told, warnings, second } = watched();
    for (const at of [0, 1, 2]) {
      questions[at]?.reject(new Error("stale handle"));
      await settled();
      second();
    }
    assert.deepEqual(told, []);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /stale handle/);
    questions[3]?.resolve(9);
    await settled();
    second();
    questions[4]?.reject(new Error("stale again"));
    await settled();
    assert.deepEqual(told, [9]);
    assert.equal(warnings.length, 2);
  });

  it("is told to nobody who has stopped asking", async () => {
    const { questions, told, cancel, isStopped } = watched();
    cancel();
    questions[0]?.resolve(7);
    await settled();
    assert.deepEqual(told, []);
    assert.ok(isStopped());
  });

  it("is written for people", () => {
    for (const [bytes, text] of [
      [0, "0 bytes"],
      [1023, "1023 bytes"],
      [1536, "1.5 KiB"],
      [256 * 2 ** 20, "256 MiB"],
      [5000 * 2 ** 40, "5000 TiB"],
    ] as const) {
      assert.equal(formatBytes(bytes), text);
    }
  });
});
