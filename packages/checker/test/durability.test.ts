import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  lostElements,
  lostWrites,
  registerModel,
  type RegisterOperation,
  type Transaction,
} from "../src/index.ts";
import { hasOrder } from "./brute-force.ts";
import { failed, get, never, on, operation, remove, set, swap } from "./histories.ts";

const final = (value: string | undefined): ReadonlyMap<string, string> =>
  new Map(value === undefined ? [] : [["k", value]]);

describe("acknowledged writes are there at the end if", () => {
  const cases: Record<string, readonly [RegisterOperation[], string | undefined]> = {
    "nothing was written": [[get(undefined, 0, 1)], undefined],
    "the last one is": [[set("a", 0, 1), set("b", 2, 3)], "b"],
    "one of the last is": [[set("a", 0, 5), set("b", 2, 3)], "a"],
    "one that returned as the last was called is": [[set("a", 0, 2), set("b", 2, 3)], "a"],
    "an unknown one overwrote them": [[set("b", 0, never), set("a", 1, 2)], "b"],
    "an unknown one did not overwrite them": [[set("a", 1, 2), set("b", 3, never)], "a"],
    "a delete was the last": [[set("a", 0, 1), remove(true, 2, 3)], undefined],
    "a delete that found nothing was the last": [[remove(false, 0, 9), set("a", 2, 3)], "a"],
    "a comparison that applied was the last": [[set("a", 0, 1), swap(["a", "b"], true, [2, 3])], "b"],
    "a comparison that was refused came later": [[set("a", 0, 1), swap(["x", "b"], false, [2, 3])], "a"],
  };
  for (const [name, [history, value]] of Object.entries(cases)) {
    it(name, () => {
      assert.deepEqual(lostWrites(history, final(value)), []);
    });
  }
});

describe("a write is lost if", () => {
  const a = set("a", 0, 1);
  const b = set("b", 2, 3);
  const deletion = remove(true, 2, 3);
  const cases: Record<
    string,
    readonly [RegisterOperation[], string | undefined, RegisterOperation | undefined]
  > = {
    "the key is gone": [[a], undefined, a],
    "the value before is back": [[a, b], "a", b],
    "what was deleted is back": [[a, deletion], "a", deletion],
    "only a delete that was called before can have removed it": [[remove(undefined, 0, 1), b], undefined, b],
    "the value is nobody's": [[a], "x", undefined],
    "the value is one of what failed": [[a, set("x", 2, failed)], "x", undefined],
    "the value is one of a refused comparison": [[a, swap(["x", "y"], false, [2, 3])], "y", undefined],
  };
  for (const [name, [history, value, lost]] of Object.entries(cases)) {
    it(name, () => {
      assert.deepEqual(lostWrites(history, final(value)), [{ key: "k", found: value, lost }]);
    });
  }

  it("a key holds something that nobody wrote to it", () => {
    const expected = [{ key: "k", found: "a", lost: undefined }];
    assert.deepEqual(
      lostWrites(
        [on("other", a)],
        new Map([
          ["k", "a"],
          ["other", "a"],
        ]),
      ),
      expected,
    );
  });
});

describe("the verdict on the end", () => {
  it("is that of a judge who tries every order, with a read at the end", () => {
    const end = fc.oneof(fc.nat(12), fc.constantFrom(never, failed));
    const write = fc
      .tuple(fc.constantFrom(undefined, "a", "b", "c"), fc.nat(9), end)
      .map(([value, from, length]) => {
        const to = typeof length === "number" ? from + length : length;
        return value === undefined ? remove(undefined, from, to) : set(value, from, to);
      });
    const found = fc.constantFrom(undefined, "a", "b", "c");
    fc.assert(
      fc.property(fc.array(write, { maxLength: 6 }), found, (history, value) => {
        const expected = hasOrder([...history, get(value, 100, 101)], registerModel);
        assert.equal(lostWrites(history, final(value)).length === 0, expected);
      }),
      { numRuns: 3000 },
    );
  });

  it("names each acknowledged element that is in no final list", () => {
    const append = (element: string, end: number | typeof never | typeof failed): Transaction =>
      operation([{ kind: "append", key: "x", element }], [undefined], [0, end]);
    const history = [append("1", 1), append("2", 1), append("3", never), append("4", failed)];
    assert.deepEqual(lostElements(history, new Map([["x", ["2", "1"]]])), []);
    assert.deepEqual(lostElements(history, new Map([["x", ["2", "3"]]])), [{ key: "x", element: "1" }]);
    assert.equal(lostElements(history, new Map()).length, 2);
  });
});
