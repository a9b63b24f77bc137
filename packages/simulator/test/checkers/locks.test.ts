import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Locks } from "../../src/checkers/locks.ts";

const holder = (client: string, token: number, untilUs: number) => ({ client, token, untilUs });

describe("a lock", () => {
  it("may go from one to the next when the lease of the one is over, or it has let go", () => {
    const locks = new Locks(true);
    locks.acquired("a", holder("one", 5, 100), { nowUs: 0, above: 0 });
    locks.acquired("b", holder("two", 6, 100), { nowUs: 0, above: 0 });
    locks.acquired("a", holder("two", 7, 200), { nowUs: 100, above: 5 });
    locks.released("a", "two");
    locks.acquired("a", holder("one", 8, 300), { nowUs: 150, above: 7 });
    assert.equal(locks.greatestToken("a"), 8);
  });

  it("is seen if two believe that they hold it", () => {
    const locks = new Locks(true);
    locks.acquired("a", holder("one", 5, 100), { nowUs: 0, above: 0 });
    assert.throws(
      () => locks.acquired("a", holder("two", 7, 200), { nowUs: 99, above: 5 }),
      /two and one both believe that they hold a, with tokens 7 and 5/,
    );
  });

  it("is seen if the lease of a former holder is kept alive", () => {
    const locks = new Locks(true);
    locks.acquired("a", holder("one", 5, 100), { nowUs: 0, above: 0 });
    locks.acquired("a", holder("two", 7, 200), { nowUs: 120, above: 5 });
    assert.throws(() => locks.extended("a", "one", { nowUs: 130, untilUs: 230 }), /both believe/);
  });

  it("is not judged by beliefs where clocks jump, but by tokens all the same", () => {
    const locks = new Locks(false);
    locks.acquired("a", holder("one", 5, 100), { nowUs: 0, above: 0 });
    locks.acquired("a", holder("two", 7, 200), { nowUs: 50, above: 5 });
    assert.throws(
      () => locks.acquired("a", holder("three", 7, 200), { nowUs: 60, above: 7 }),
      /three holds a with token 7, and 7 was given before/,
    );
  });
});
