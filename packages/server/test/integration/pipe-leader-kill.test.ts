import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DkvClientError, type KeyValue, type Pipe } from "@dkv/client";
import { addresses, connect, runningCluster, text } from "./fixture.ts";
import { killLeader, Progress } from "./killing.ts";

const operations = 10_000;
const maxInFlight = 256;

interface Answers {
  /** The revision of each write that was acknowledged, by its key. */
  readonly acknowledged: Map<string, number>;
  readonly unknown: string[];
  readonly progress: Progress;
}

async function write(pipe: Pipe, key: string, answers: Answers): Promise<void> {
  try {
    const { header } = await pipe.set(key, `value of ${key}`);
    answers.acknowledged.set(key, header.revision);
    answers.progress.advance();
  } catch (error) {
    if (!(error instanceof DkvClientError)) throw error;
    assert.equal(error.retry, "outcomeUnknown", error.message);
    answers.unknown.push(key);
  }
}

describe("a pipe whose leader is killed", () => {
  it("has done everything that it acknowledged, and does not know of what was under way only", {
    timeout: 120_000,
  }, async (test) => {
    const cluster = await runningCluster(test, "tls", { flags: { "election-timeout": "500ms" } });
    const client = await connect(test, "tls", addresses(cluster));
    const answers: Answers = { acknowledged: new Map(), unknown: [], progress: new Progress() };
    await using pipe = client.pipe({ maxInFlight });
    const third = answers.progress.more(operations / 3);
    const keys = Array.from({ length: operations }, (_, at) => `piped/${String(at)}`);
    const writing = Promise.all(keys.map((key) => write(pipe, key, answers)));
    await third;
    await killLeader(cluster);
    await writing;

    const found = new Map<string, KeyValue>();
    for await (const kv of client.list({ prefix: "piped/" })) found.set(kv.key, kv);
    const { acknowledged, unknown } = answers;
    for (const [key, revision] of acknowledged) {
      const kv = found.get(key);
      assert.equal(kv?.modRevision, revision, key);
      assert.equal(text(kv?.value), `value of ${key}`);
      assert.equal(kv?.version, 1, "it was written once");
    }
    assert.equal(acknowledged.size + unknown.length, operations);
    assert.ok(unknown.length <= maxInFlight, `${String(unknown.length)} are of unknown outcome`);
    test.diagnostic(
      `${String(acknowledged.size)} acknowledged, ${String(unknown.length)} of unknown outcome`,
    );
  });
});
