import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ArrivingMessage } from "../../src/api/arriving-message.ts";
import { BodyBudget } from "../../src/api/body-budget.ts";
import { frame } from "./raw-http2.ts";

const limit = { maxBytes: 3_000_000, hasPrefix: true, tooLarge: () => new Error("too large") };
const overloaded = { code: "overloaded" };
const bytes = frame(Buffer.alloc(1_400_000, 7));

function appendByteByByte(message: ArrivingMessage): void {
  for (let at = 0; at < bytes.length; at += 1) message.append(bytes.subarray(at, at + 1));
}

describe("a message that arrives", () => {
  it("takes no more than its size of the budget, however small its pieces", () => {
    const budget = new BodyBudget({ maxBytes: bytes.length, maxConnectionBytes: bytes.length });
    const message = new ArrivingMessage(limit, { budget, connection: {} });
    // Twice: the first one must give back what it took.
    for (let round = 0; round < 2; round += 1) {
      appendByteByByte(message);
      assert.equal(message.missingBytes, 0);
      assert.ok(message.take().equals(bytes));
    }
  });

  it("takes as much of the budget as its memory has", () => {
    const budget = new BodyBudget({ maxBytes: 1_000_000, maxConnectionBytes: 1_000_000 });
    const message = new ArrivingMessage(limit, { budget, connection: {} });
    assert.throws(() => {
      appendByteByByte(message);
    }, overloaded);
    assert.ok(message.length > 400_000 && message.length <= 1_000_000, String(message.length));
  });

  it("is free while it is small, so that a full budget does not stop ordinary calls", () => {
    const budget = new BodyBudget({ maxBytes: 0, maxConnectionBytes: 0 });
    const message = new ArrivingMessage(limit, { budget, connection: {} });
    message.append(bytes.subarray(0, 10_000));
    message.append(bytes.subarray(10_000, 16_000));
    assert.throws(() => {
      message.append(bytes.subarray(16_000, 17_000));
    }, overloaded);
  });

  it("is refused for what it says as for what it is", () => {
    const budget = new BodyBudget({ maxBytes: 1e9, maxConnectionBytes: 1e9 });
    const small = { ...limit, maxBytes: 1000 };
    const announced = new ArrivingMessage(small, { budget, connection: {} });
    announced.append(bytes.subarray(0, 2));
    assert.throws(() => {
      announced.append(bytes.subarray(2, 5));
    }, /too large/);
    const silent = new ArrivingMessage({ ...small, hasPrefix: false }, { budget, connection: {} });
    silent.append(Buffer.alloc(1000));
    assert.throws(() => {
      silent.append(Buffer.alloc(6));
    }, /too large/);
  });
});

describe("the budget of bodies", () => {
  it("leaves something for others when one connection has its share", () => {
    const budget = new BodyBudget({ maxBytes: 100, maxConnectionBytes: 60 });
    const [one, other] = [{}, {}];
    budget.take(one, 60);
    assert.throws(() => {
      budget.take(one, 1);
    }, overloaded);
    budget.take(other, 40);
    assert.throws(() => {
      budget.take(other, 1);
    }, overloaded);
    budget.release(one, 30);
    budget.take(one, 10);
    budget.take(other, 20);
  });
});
