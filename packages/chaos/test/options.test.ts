import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readOptions, UsageError } from "../src/options.ts";
import { faultKinds } from "../src/plan/faults.ts";

const read = (...args: readonly string[]) => readOptions(args, () => 99);

describe("the command line", () => {
  it("draws a seed and takes all faults unless told otherwise", () => {
    assert.deepEqual(read("--minutes", "0.5"), {
      minutes: 0.5,
      seed: 99,
      members: 3,
      writers: 12,
      api: "dkv",
      kinds: faultKinds,
      fakeTime: undefined,
    });
  });

  it("takes what it is given", () => {
    const options = read(
      "--seed",
      "0",
      "--members",
      "5",
      "--writers",
      "3",
      "--api",
      "both",
      "--only",
      "kill,cut",
    );
    assert.deepEqual(options, {
      minutes: 10,
      seed: 0,
      members: 5,
      writers: 3,
      api: "both",
      kinds: ["kill", "cut"],
      fakeTime: undefined,
    });
    assert.equal(read("--help"), "help");
  });

  it("refuses what it cannot mean, and says why", () => {
    assert.throws(
      () => read("--minutes", "0"),
      new UsageError("--minutes 0 is not a number from 0.05 to 1440"),
    );
    assert.throws(() => read("--members", "2.5"), /is not a whole number from 3 to 7/);
    assert.throws(() => read("--seed", ""), UsageError);
    assert.throws(() => read("--only", "kill,fire"), /no fault is called fire; there are kill, /);
    assert.throws(() => read("--api", "v2"), new UsageError("--api v2 is none of dkv, etcd, both"));
    assert.throws(() => read("--fast"), UsageError);
  });
});
