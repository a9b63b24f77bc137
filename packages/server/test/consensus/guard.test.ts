import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Guard } from "../../src/consensus/guard.ts";

const failure = new Error("broken");
const fail = (): void => {
  throw failure;
};

describe("a guard", () => {
  it("reports what fails in its work, before or after a write, and the write itself", async () => {
    const cases: ((guard: Guard) => Promise<void> | void)[] = [
      (guard) => {
        guard.run(fail);
      },
      (guard) => {
        assert.throws(() => guard.result(fail), failure);
      },
      (guard) => guard.runAfter(Promise.resolve(), fail),
      (guard) => guard.runAfter(Promise.reject(failure), () => undefined),
    ];
    for (const broken of cases) {
      const failures: unknown[] = [];
      await broken(new Guard((error) => failures.push(error)));
      assert.deepEqual(failures, [failure]);
    }
  });

  it("does nothing more after a failure", async () => {
    const failures: unknown[] = [];
    const guard = new Guard((error) => failures.push(error));
    let done = 0;
    const work = (): void => {
      done += 1;
    };
    await guard.runAfter(Promise.resolve(), work);
    assert.equal(done, 1);
    guard.run(fail);
    guard.run(work);
    await guard.runAfter(Promise.resolve(), work);
    await guard.runAfter(Promise.reject(failure), work);
    assert.equal(done, 1);
    assert.deepEqual(failures, [failure]);
  });
});
