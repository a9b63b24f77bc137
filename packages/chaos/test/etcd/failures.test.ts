import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { create } from "@bufbuild/protobuf";
import { WatchResponseSchema } from "@dkv/protocol/etcdserverpb/rpc";
import { canceled, failureOf } from "../../src/etcd/failures.ts";

const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
const broken = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });

const knowledge: Readonly<Record<string, readonly [ConnectError, string, string]>> = {
  "a refusal has no effect, ever": [
    new ConnectError("etcdserver: requested lease not found", Code.NotFound),
    "lease_not_found",
    "never",
  ],
  "without a leader nothing is begun": [
    new ConnectError("etcdserver: no leader", Code.Unavailable),
    "connection_lost",
    "notApplied",
  ],
  "nobody was there": [
    new ConnectError("refused", Code.Unavailable, undefined, undefined, refused),
    "connection_lost",
    "notApplied",
  ],
  "a connection that breaks tells nothing": [
    new ConnectError("reset", Code.Unavailable, undefined, undefined, broken),
    "connection_lost",
    "outcomeUnknown",
  ],
  "a member that gives up tells nothing": [
    new ConnectError("etcdserver: request timed out", Code.Unavailable),
    "connection_lost",
    "outcomeUnknown",
  ],
  "no answer in time tells nothing": [
    new ConnectError("late", Code.DeadlineExceeded),
    "deadline_exceeded",
    "outcomeUnknown",
  ],
};

describe("what a client of etcd's API knows of a write that has failed", () => {
  for (const [what, [error, code, retry]] of Object.entries(knowledge)) {
    it(what, () => {
      const failure = failureOf(error, true);
      assert.deepEqual([failure.code, failure.retry, failure.message], [code, retry, error.rawMessage]);
    });
  }

  it("a read has no effect, whatever becomes of it", () => {
    assert.equal(failureOf(new ConnectError("reset", Code.Unavailable), false).retry, "notApplied");
  });
});

describe("a watch that is ended", () => {
  it("has lost changes if its beginning is compacted, and goes on elsewhere otherwise", () => {
    const late = create(WatchResponseSchema, { canceled: true, compactRevision: 7n });
    assert.deepEqual([canceled(late).code, canceled(late).retry], ["compacted", "never"]);
    const left = create(WatchResponseSchema, { canceled: true, cancelReason: "etcdserver: no leader" });
    assert.deepEqual([canceled(left).code, canceled(left).message], ["no_leader", "etcdserver: no leader"]);
  });
});
