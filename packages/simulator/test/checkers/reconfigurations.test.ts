import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { logIndex, nodeId, term } from "@dkv/raft";
import { checkChange } from "../../src/checkers/reconfigurations.ts";
import { id } from "./fixtures.ts";

describe("reconfigurations", () => {
  const of = (voters: readonly bigint[], outgoing: readonly bigint[] = []) => ({
    voters: voters.map(nodeId),
    outgoing: outgoing.map(nodeId),
    learners: [],
    context: new Uint8Array(),
  });
  const change = (before: ReturnType<typeof of>, after: ReturnType<typeof of>) => ({
    term: term(2),
    before: { index: logIndex(4), configuration: before },
    after: { index: logIndex(6), configuration: after },
    committed: id(5, 2),
  });

  it("takes one voter more or less, and any change by a joint configuration", () => {
    checkChange(change(of([1n, 2n, 3n]), of([1n, 2n, 3n, 4n])));
    checkChange(change(of([1n, 2n]), of([1n])));
    checkChange(change(of([1n, 2n, 3n]), of([4n, 5n], [1n, 2n, 3n])));
    checkChange(change(of([4n, 5n], [1n, 2n, 3n]), of([4n, 5n])));
  });

  it("refuses majorities that can miss each other, a second change, and one that comes too early", () => {
    assert.throws(() => checkChange(change(of([1n, 2n, 3n]), of([1n, 2n, 4n]))), /do not meet/);
    const fine = change(of([1n, 2n]), of([1n]));
    assert.throws(() => checkChange({ ...fine, committed: id(3, 2) }), /before the one at 4/);
    assert.throws(() => checkChange({ ...fine, committed: id(5, 1) }), /committed in its term/);
  });
});
