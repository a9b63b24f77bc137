import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { term } from "@dkv/raft";
import type { ApplyResult } from "@dkv/store";
import { Proposals } from "../../src/consensus/proposals.ts";
import { DkvError, type ErrorCode } from "../../src/platform/errors.ts";

const result: ApplyResult = { kind: "set", revision: 2 };
const command = new Uint8Array(10);
const quorum = (): string => "1 of 3 members answer";
const time = { nowMs: 0, timeoutMs: 100 };

function propose(proposals: Proposals): { sequence: number; answer: Promise<ApplyResult> } {
  const sequence = proposals.nextSequence();
  const answer = proposals.add(sequence, command, time);
  answer.catch(() => undefined);
  return { sequence, answer };
}

const failsWith = (code: ErrorCode) => (error: unknown) => error instanceof DkvError && error.code === code;

describe("waiting writes", () => {
  it("are answered with what applying their entry gave", async () => {
    const proposals = new Proposals({ count: 10, bytes: 1000 });
    const { sequence, answer } = propose(proposals);
    proposals.handedOn(proposals.takeWaiting(), term(3));
    proposals.applied(sequence, result);
    assert.equal(await answer, result);
    assert.equal(proposals.size, 0);
  });

  it("are proposed again once an entry of a later term was applied, and not before", () => {
    const proposals = new Proposals({ count: 10, bytes: 1000 });
    const { sequence } = propose(proposals);
    proposals.handedOn(proposals.takeWaiting(), term(3));
    proposals.termApplied(term(3));
    assert.equal(proposals.takeWaiting().length, 0, "it may still be applied");
    proposals.termApplied(term(4));
    assert.deepEqual(
      proposals.takeWaiting().map((pending) => pending.sequence),
      [sequence],
    );
  });

  it("are proposed again when the leader refused them, and only then", () => {
    const proposals = new Proposals({ count: 10, bytes: 1000 });
    const { sequence } = propose(proposals);
    proposals.handedOn(proposals.takeWaiting(), term(3));
    assert.equal(proposals.takeWaiting().length, 0);
    proposals.refused(sequence);
    assert.equal(proposals.takeWaiting().length, 1);
    proposals.refused(sequence);
    assert.equal(proposals.takeWaiting().length, 0);
  });

  it("end as not applied when no leader was found in time, as unknown once they were handed on", async () => {
    const proposals = new Proposals({ count: 10, bytes: 1000 });
    const handedOn = propose(proposals);
    proposals.handedOn(proposals.takeWaiting(), term(3));
    const waiting = propose(proposals);
    proposals.expire(99, quorum);
    assert.equal(proposals.size, 2);
    proposals.expire(100, quorum);
    await assert.rejects(handedOn.answer, failsWith("writeTimeout"));
    await assert.rejects(waiting.answer, failsWith("noLeader"));
    assert.equal(proposals.takeWaiting().length, 0, "nobody waits for it any more");
  });

  it("are refused at once beyond the limits of count and bytes", async () => {
    const byCount = new Proposals({ count: 1, bytes: 1000 });
    propose(byCount);
    await assert.rejects(propose(byCount).answer, failsWith("overloaded"));
    const byBytes = new Proposals({ count: 10, bytes: 15 });
    propose(byBytes);
    await assert.rejects(propose(byBytes).answer, failsWith("overloaded"));
  });

  it("make room for others once they are answered", async () => {
    const proposals = new Proposals({ count: 1, bytes: 10 });
    const first = propose(proposals);
    proposals.handedOn(proposals.takeWaiting(), term(3));
    proposals.applied(first.sequence, result);
    const second = propose(proposals);
    proposals.handedOn(proposals.takeWaiting(), term(3));
    proposals.applied(second.sequence, result);
    assert.equal(await second.answer, result);
  });

  it("know at a stop whether they had been handed on", async () => {
    const proposals = new Proposals({ count: 10, bytes: 1000 });
    const handedOn = propose(proposals);
    proposals.handedOn(proposals.takeWaiting(), term(3));
    const waiting = propose(proposals);
    proposals.stop();
    await assert.rejects(handedOn.answer, failsWith("outcomeUnknown"));
    await assert.rejects(waiting.answer, failsWith("stopping"));
  });
});
