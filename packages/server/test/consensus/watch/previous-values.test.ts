import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Change, KeyValue } from "@dkv/store";
import { PreviousValues } from "../../../src/consensus/watch/previous-values.ts";
import type { Batch } from "../../../src/consensus/watch/watcher.ts";

const mebibyte = 2 ** 20;

/** One delete of what had a value of so many bytes. */
function batch(key: string): Batch {
  const made = { isDeleted: true, modRevision: 3, sub: 0 } as const;
  const changes = [{ key, made, previous: { revision: 2, sub: 0 } }];
  return { revision: 3, changes, events: undefined, bytes: 100 };
}

/** A store that answers when it is told to, with values of so many bytes. */
function answering() {
  const asked: string[] = [];
  const answers = new Map<string, (bytes: number) => void>();
  const previous = (changes: readonly Change[]): Promise<readonly (KeyValue | undefined)[]> => {
    const [{ key } = assert.fail()] = changes;
    asked.push(key);
    return new Promise((resolve) => {
      answers.set(key, (bytes) => {
        const facts = { createRevision: 2, modRevision: 2, version: 1, lease: 0n };
        resolve([{ key: Buffer.from(key), value: Buffer.alloc(bytes), ...facts }]);
      });
    });
  };
  const values = new PreviousValues({ previous });
  const read = async (one: Batch, bytes: number): Promise<void> => {
    const events = values.read([one]);
    answers.get(one.changes[0]?.key ?? "")?.(bytes);
    await events;
  };
  return { values, asked, answers, read };
}

describe("previous values", () => {
  it("are read once for all who ask at about the same time, and forgotten when they are many", async () => {
    const { read, asked } = answering();
    const [a, b] = [batch("a"), batch("b")];
    await read(a, 3 * mebibyte);
    await read(a, 3 * mebibyte);
    await read(b, 3 * mebibyte);
    await read(b, 3 * mebibyte);
    assert.deepEqual(asked, ["a", "b"]);
    await read(a, 3 * mebibyte);
    assert.deepEqual(asked, ["a", "b", "a"]);
  });

  it("that were forgotten while they were read do not take the room of others", async () => {
    const { values, read, asked, answers } = answering();
    const [a, b, c] = [batch("a"), batch("b"), batch("c")];
    const late = values.read([a]);
    await read(b, 5 * mebibyte);
    answers.get("a")?.(5 * mebibyte);
    await late;
    await read(c, 1000);
    await read(c, 1000);
    assert.deepEqual(asked, ["a", "b", "c"]);
  });
});
