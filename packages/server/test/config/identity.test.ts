import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { clusterIdOf, memberIdOf } from "../../src/config/identity.ts";

const a = { name: "a", address: "localhost:1" };
const b = { name: "b", address: "localhost:2" };

describe("identities of a new cluster", () => {
  it("are the same on every member, in whatever order it lists them", () => {
    assert.equal(clusterIdOf("t", [a, b]), clusterIdOf("t", [b, a]));
    assert.equal(memberIdOf("a"), memberIdOf("a"));
  });

  it("differ when what they stand for differs", () => {
    const ids = [
      clusterIdOf("t", [a, b]),
      clusterIdOf("u", [a, b]),
      clusterIdOf("t", [a]),
      clusterIdOf("t", [a, { ...b, address: "localhost:3" }]),
      memberIdOf("a"),
      memberIdOf("b"),
      memberIdOf("ab"),
    ];
    assert.equal(new Set(ids).size, ids.length);
  });
});
