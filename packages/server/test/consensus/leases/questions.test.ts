import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LeaseId } from "@dkv/store";
import type { LeaseTime } from "../../../src/consensus/leases/lease-keeper.ts";
import { Questions } from "../../../src/consensus/leases/questions.ts";
import { maxLeasesAsked } from "../../../src/consensus/requests/request-bodies.ts";
import { DkvError } from "../../../src/platform/errors.ts";
import { until } from "../cluster.ts";
import { PushedClock } from "../pushed-clock.ts";

const time: LeaseTime = { grantedTtl: 10n, remainingTtl: 9n };

/** Questions that are answered when the test says so. */
function questionsOf(clock: PushedClock) {
  const asked: (readonly LeaseId[])[] = [];
  const answers: ((times: readonly (LeaseTime | undefined)[] | undefined) => void)[] = [];
  const questions = new Questions({
    clock,
    ask: (ids) => {
      asked.push(ids);
      return new Promise((resolve) => answers.push(resolve));
    },
    late: () => new DkvError("readTimeout", "late"),
  });
  return { questions, asked, answers };
}

const failsAs = (code: string) => (error: unknown) => error instanceof DkvError && error.code === code;

describe("questions about leases", () => {
  it("gather while others are asked, and are asked again while there is no answer", async () => {
    const { questions, asked, answers } = questionsOf(new PushedClock());
    const first = questions.ask(1n, 1000);
    await until("it is asked", () => asked.length === 1);
    const rest = [2n, 3n].map((id) => questions.ask(id, 1000));
    answers[0]?.(undefined);
    await until("all are", () => asked.length === 2);
    assert.deepEqual(asked, [[1n], [1n, 2n, 3n]]);
    answers[1]?.([time, undefined, time]);
    assert.deepEqual(await Promise.all([first, ...rest]), [time, undefined, time]);
  });

  it("are given up one by one when the time of their callers is up", async () => {
    const clock = new PushedClock();
    const { questions, asked, answers } = questionsOf(clock);
    const long = questions.ask(1n, 60_000);
    const short = questions.ask(2n, 10_000);
    await until("they are asked", () => asked.length === 1);
    clock.push(10_001);
    await assert.rejects(short, failsAs("readTimeout"));
    const longer = questions.ask(3n, 30_000);
    clock.push(30_001);
    await assert.rejects(longer, failsAs("readTimeout"));
    answers[0]?.([time, time]);
    assert.equal(await long, time);
  });

  it("are asked so many at once, and wait in bounded number", async () => {
    const { questions, asked, answers } = questionsOf(new PushedClock());
    const all = Array.from({ length: 100_000 }, (_, at) => questions.ask(BigInt(at), 60_000));
    await assert.rejects(questions.ask(0n, 60_000), failsAs("overloaded"));
    await until("some are asked", () => asked.length === 1);
    assert.equal(asked[0]?.length, maxLeasesAsked);
    answers[0]?.(asked[0]?.map(() => time));
    assert.equal(await all[maxLeasesAsked - 1], time);
    const stopped = Promise.allSettled(all);
    questions.stop(new DkvError("stopping", "stopping"));
    const failed = (await stopped).filter(({ status }) => status === "rejected").length;
    assert.equal(failed, all.length - maxLeasesAsked);
  });
});
