import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readOptions } from "../src/options.ts";

const read = (...args: string[]) => {
  const options = readOptions(args, () => 5);
  assert.notEqual(options, "help");
  return options as Exclude<typeof options, "help">;
};

describe("the command line of make etcd-diff", () => {
  it("compares with one dkv member, and leaves out auth, unless told otherwise", () => {
    const { against, members, seed, families } = read();
    assert.deepEqual({ against, members, seed }, { against: "dkv", members: 1, seed: 5 });
    assert.ok(families.includes("watch") && !families.includes("auth"));
  });

  it("takes families in and out", () => {
    assert.deepEqual(read("--only", "kv,auth").families, ["kv", "auth"]);
    assert.ok(read("--without", "huge").families.includes("auth"));
  });

  it("does not ask three members about members, as etcd has one", () => {
    assert.ok(!read("--members", "3").families.includes("cluster"));
  });

  for (const args of [
    ["--count", "0"],
    ["--members", "2"],
    ["--against", "zookeeper"],
    ["--only", "kw"],
    ["--x"],
  ]) {
    it(`refuses ${args.join(" ")}`, () => {
      assert.throws(() => read(...args), { name: "UsageError" });
    });
  }
});
