import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { term } from "@dkv/raft";
import type { ApplyResult } from "@dkv/store";
import { Proposals } from "../../src/consensus/proposals.ts";
import { DkvError, type ErrorCode } from "../../src/platform/errors.ts";

const result: ApplyResult = { kind: "set", revision: 2, previous: undefined };
const command = new Uint8Array(10);
const maxBytes = 1000;
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
    proposals.handedOn(proposals.takeWaiting(maxBytes), term(3));
    proposals.applied(sequence, result);
    assert.equal(await answer, result);
    assert.equal(proposals.size, 0);
  });

  it("are proposed again once an entry of a later term was applied, and not before", () => {
    const proposals = new Proposals({ count: 10, bytes: 1000 });
    const { sequence } = propose(proposals);
    proposals.handedOn(proposals.takeWaiting(maxBytes), term(3));
    proposals.termApplied(term(3));
    assert.equal(proposals.takeWaiting(maxBytes).length, 0, "it may still be applied");
    proposals.termApplied(term(4));
    assert.deepEqual(
      proposals.takeWaiting(maxBytes).map((pending) => pending.sequence),
      [sequence],
    );
  });

  it("are proposed again when the leader refused them, but not before the next tick", () => {
    const proposals = new Proposals({ count: 10, bytes: 1000 });
    const { sequence } = propose(proposals);
    proposals.handedOn(proposals.takeWaiting(maxBytes), term(3));
    proposals.refused({ sequence, term: term(3), code: "notLeader" });
    assert.equal(proposals.takeWaiting(maxBytes).length, 0, "it would be refused again at once");
    proposals.retry();
    assert.equal(proposals.takeWaiting(maxBytes).length, 1);
    proposals.refused({ sequence, term: term(3), code: "notLeader" });
    proposals.retry();
    assert.equal(proposals.takeWaiting(maxBytes).length, 0, "a second refusal means nothing");
  });

  it("do not mind a refusal that comes late, from an earlier leader", async () => {
    for (const code of ["notLeader", "stopping", "overloaded", "diskFull"] as const) {
      const proposals = new Proposals({ count: 10, bytes: 1000 });
      const { sequence, answer } = propose(proposals);
      proposals.handedOn(proposals.takeWaiting(maxBytes), term(3));
      proposals.termApplied(term(4));
      proposals.handedOn(proposals.takeWaiting(maxBytes), term(4));
      proposals.refused({ sequence, term: term(3), code });
      proposals.retry();
      assert.equal(proposals.takeWaiting(maxBytes).length, 0, "the leader of term 4 has it");
      proposals.applied(sequence, result);
      assert.equal(await answer, result);
    }
  });

  it("are told that nothing was written when the leader they were handed to is overloaded", async () => {
    const proposals = new Proposals({ count: 10, bytes: 1000 });
    const { sequence, answer } = propose(proposals);
    proposals.handedOn(proposals.takeWaiting(maxBytes), term(3));
    proposals.refused({ sequence, term: term(3), code: "overloaded" });
    await assert.rejects(answer, failsWith("overloaded"));
  });

  it("are taken a few at a time, the oldest first", () => {
    const proposals = new Proposals({ count: 10, bytes: 1000 });
    const sequences = Array.from({ length: 5 }, () => propose(proposals).sequence);
    const take = (bytes: number) => proposals.takeWaiting(bytes).map((pending) => pending.sequence);
    const first = proposals.takeWaiting(2 * command.length);
    assert.equal(first.length, 2);
    assert.deepEqual(take(1), sequences.slice(2, 3), "one, however large");
    assert.equal(proposals.hasWaiting, true);
    proposals.holdBack(first);
    proposals.retry();
    assert.deepEqual(
      take(maxBytes),
      [0, 1, 3, 4].map((at) => sequences[at]),
    );
    assert.equal(proposals.hasWaiting, false);
  });

  it("are not kept once their time is up, while there is no leader to take them", () => {
    const proposals = new Proposals({ count: 10, bytes: 1000 });
    propose(proposals);
    proposals.holdBack(proposals.takeWaiting(maxBytes));
    propose(proposals);
    proposals.expire(100, quorum);
    assert.equal(proposals.hasWaiting, false);
    proposals.retry();
    assert.equal(proposals.hasWaiting, false);
  });

  it("end as not applied when no leader was found in time, as unknown once they were handed on", async () => {
    const proposals = new Proposals({ count: 10, bytes: 1000 });
    const handedOn = propose(proposals);
    proposals.handedOn(proposals.takeWaiting(maxBytes), term(3));
    const waiting = propose(proposals);
    proposals.expire(99, quorum);
    assert.equal(proposals.size, 2);
    proposals.expire(100, quorum);
    await assert.rejects(handedOn.answer, failsWith("writeTimeout"));
    await assert.rejects(waiting.answer, failsWith("noLeader"));
    assert.equal(proposals.takeWaiting(maxBytes).length, 0, "nobody waits for it any more");
  });

  it("that end together are told the same of the quorum, which is put into words once", () => {
    const proposals = new Proposals({ count: 10, bytes: 1000 });
    for (let number = 0; number < 5; number += 1) propose(proposals);
    let times = 0;
    proposals.expire(100, () => {
      times += 1;
      return quorum();
    });
    assert.equal(times, 1);
    assert.equal(proposals.size, 0);
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
    proposals.handedOn(proposals.takeWaiting(maxBytes), term(3));
    proposals.applied(first.sequence, result);
    const second = propose(proposals);
    proposals.handedOn(proposals.takeWaiting(maxBytes), term(3));
    proposals.applied(second.sequence, result);
    assert.equal(await second.answer, result);
  });

  it("know at a stop whether they had been handed on", async () => {
    const proposals = new Proposals({ count: 10, bytes: 1000 });
    const handedOn = propose(proposals);
    proposals.handedOn(proposals.takeWaiting(maxBytes), term(3));
    const waiting = propose(proposals);
    proposals.stop();
    await assert.rejects(handedOn.answer, failsWith("outcomeUnknown"));
    await assert.rejects(waiting.answer, failsWith("stopping"));
  });

  it("are counted when their callers are not told what became of them", async () => {
    const proposals = new Proposals({ count: 5, bytes: 1000 });
    const [done, refused, late, sixth] = [1, 2, 3, 4, 5, 6].map(() => propose(proposals));
    assert.ok(done !== undefined && refused !== undefined && late !== undefined && sixth !== undefined);
    assert.equal(proposals.failures, 1, "there was no room for the last one");
    proposals.handedOn(proposals.takeWaiting(maxBytes), term(3));
    proposals.applied(done.sequence, result);
    assert.equal(proposals.failures, 1);
    proposals.refused({ sequence: refused.sequence, term: term(3), code: "overloaded" });
    assert.equal(proposals.failures, 2);
    proposals.expire(100, quorum);
    assert.equal(proposals.failures, 5);
    await assert.rejects(late.answer, failsWith("writeTimeout"));
  });
});
