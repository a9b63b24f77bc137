import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { graceMs, LeaseBook } from "../../src/load/lease-book.ts";
import { LockBook } from "../../src/load/lock-book.ts";

describe("the judge of a lock", () => {
  it("is content with one holder after the other, and with one that hears late that it has lost", () => {
    const book = new LockBook();
    assert.equal(book.held(10, { above: 0, nowMs: 0 }), undefined);
    assert.equal(book.wrote({ token: 10, revision: 11, above: 10 }), undefined);
    assert.equal(book.ended(10, 500), undefined);
    assert.equal(book.held(20, { above: 10, nowMs: 600 }), undefined);
    assert.equal(book.wrote({ token: 20, revision: 22, above: 20 }), undefined);
    assert.equal(book.held(30, { above: 20, nowMs: 5_000 }), undefined);
    assert.equal(book.ended(20, 5_900), undefined);
    assert.equal(book.ended(30, 60_000), undefined);
    assert.equal(book.greatestToken, 30);
  });

  it("finds a token that does not rise, and one that is given twice", () => {
    const book = new LockBook();
    book.held(20, { above: 0, nowMs: 0 });
    book.ended(20, 1);
    assert.match(book.held(10, { above: 20, nowMs: 2 }) ?? "", /token 10, after 20 was given/);
    assert.match(book.held(20, { above: 0, nowMs: 3 }) ?? "", /two were given the lock with token 20/);
  });

  it("finds two that hold it at the same time, whoever ends first", () => {
    for (const first of [10, 20]) {
      const book = new LockBook();
      book.held(10, { above: 0, nowMs: 0 });
      assert.equal(book.held(20, { above: 0, nowMs: 100 }), undefined);
      assert.match(book.ended(first, 1_200) ?? "", /two hold the lock for 1100 ms, with tokens 10 and 20/);
    }
  });

  it("finds a write under a token that another one has followed", () => {
    const book = new LockBook();
    book.wrote({ token: 20, revision: 25, above: 0 });
    assert.match(
      book.wrote({ token: 10, revision: 26, above: 20 }) ?? "",
      /asked for after token 20 was given/,
    );
    assert.match(
      book.wrote({ token: 10, revision: 26, above: 0 }) ?? "",
      /another under token 20 at revision 25/,
    );
    assert.match(book.wrote({ token: 30, revision: 24, above: 0 }) ?? "", /before the token was there/);
    assert.equal(book.wrote({ token: 10, revision: 15, above: 0 }), undefined);
    assert.equal(book.wrote({ token: 20, revision: 24, above: 0 }), undefined);
    book.wrote({ token: 40, revision: 45, above: 0 });
    assert.match(book.wrote({ token: 20, revision: 46, above: 0 }) ?? "", /another under token 40/);
  });
});

describe("the judge of leases", () => {
  it("finds a key that is gone before its time, counted from when it was last asked for", () => {
    const book = new LeaseBook();
    book.promised("a", { askedMs: 1_000, ttlSeconds: 2 });
    assert.match(book.gone("a", 2_900) ?? "", /a was to live for 2 s, and was gone after 1900 ms/);
    assert.equal(book.gone("a", 3_000), undefined);
    book.promised("a", { askedMs: 2_500, ttlSeconds: 2 });
    assert.match(book.gone("a", 4_400) ?? "", /after 1900 ms/);
    assert.equal(book.gone("a", 4_500), undefined);
  });

  it("does not ask after a key that was given up", () => {
    const book = new LeaseBook();
    book.promised("a", { askedMs: 0, ttlSeconds: 2 });
    book.forget("a");
    assert.equal(book.gone("a", 1), undefined);
  });

  it("finds keys that outlive all leases when all is well", () => {
    const book = new LeaseBook();
    book.promised("a", { askedMs: 0, ttlSeconds: 3 });
    assert.equal(book.left(["a", "b"], 3_000 + graceMs), undefined);
    assert.equal(book.left([], 4_000 + graceMs), undefined);
    assert.match(
      book.left(["a", "b"], 3_001 + graceMs) ?? "",
      /more than 3 s, and after 23 s there are a, b still/,
    );
  });
});
