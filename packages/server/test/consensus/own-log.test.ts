import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { create } from "@bufbuild/protobuf";
import { RemoveHistoryCommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import { term } from "@dkv/raft";
import type { LoggedOperation } from "@dkv/store";
import { OwnLog } from "../../src/consensus/own-log.ts";
import { Proposals } from "../../src/consensus/proposals.ts";
import { cluster } from "./cluster.ts";

const proposer = 5n;

const operation: LoggedOperation = { case: "removeHistory", value: create(RemoveHistoryCommandSchema) };

/** Of a leader that is alone. */
async function ownLog(test: TestContext) {
  const { leader } = await cluster(test, 1);
  const { node } = await leader();
  const proposals = new Proposals({ count: 1, bytes: 1 });
  return { log: new OwnLog({ driver: { withNode: (work) => work(node) }, proposals, proposer }), node };
}

describe("what a leader proposes of its own accord", () => {
  it("is taken in the term in which it was decided, and in no other", async (test) => {
    const { log, node } = await ownLog(test);
    const { term: now, lastIndex } = node.status();
    assert.equal(await log.propose(term(now - 1), operation), false);
    assert.equal(node.status().lastIndex, lastIndex);
    const settled = log.propose(now, operation);
    assert.equal(node.status().lastIndex, lastIndex + 1);
    log.applied({ proposer: proposer + 1n, sequence: 2 });
    log.applied({ proposer, sequence: 1 });
    log.applied({ proposer, sequence: 2 });
    log.lost();
    assert.equal(await settled, true);
  });

  it("is given up when leadership is lost", async (test) => {
    const { log, node } = await ownLog(test);
    const settled = log.propose(node.status().term, operation);
    log.lost();
    log.applied({ proposer, sequence: 1 });
    assert.equal(await settled, false);
  });
});
