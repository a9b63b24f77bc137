import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { MemberResponseSchema, StateHashSchema } from "@dkv/protocol/dkv/peer/v1/request";
import { decodeResponse } from "../../../src/consensus/membership/request-bodies.ts";

const answer = (revision: bigint): Uint8Array => {
  const value = create(StateHashSchema, { index: 3n, revision, hash: Uint8Array.of(1) });
  return toBinary(MemberResponseSchema, create(MemberResponseSchema, { kind: { case: "stateHash", value } }));
};

test("an answer with a revision that nobody can have counted to is none", () => {
  const known = decodeResponse(answer(2n ** 53n - 1n));
  assert.ok(known.kind === "stateHash" && known.known?.revision === 2 ** 53 - 1);
  assert.equal(decodeResponse(answer(2n ** 53n)).kind, "failure");
});
