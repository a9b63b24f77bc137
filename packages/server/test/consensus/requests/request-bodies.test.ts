import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  KeepLeasesAliveSchema,
  MemberRequestSchema,
  MemberResponseSchema,
  StateHashQuestionSchema,
  StateHashSchema,
} from "@dkv/protocol/dkv/peer/v1/request";
import {
  decodeRequest,
  decodeResponse,
  maxLeasesAsked,
} from "../../../src/consensus/requests/request-bodies.ts";

/** No log is as long. */
const index = 2n ** 60n;

describe("what another member sends that makes no sense", () => {
  it("is no question", () => {
    const value = create(StateHashQuestionSchema, { index });
    const question = create(MemberRequestSchema, { kind: { case: "stateHash", value } });
    assert.equal(decodeRequest(toBinary(MemberRequestSchema, question)), undefined);
    assert.equal(decodeRequest(Buffer.from([0xff])), undefined);
  });

  it("is no question about more leases than anybody asks for", () => {
    const question = (count: number): Uint8Array => {
      const value = create(KeepLeasesAliveSchema, { ids: Array.from({ length: count }, () => 7n) });
      const kind = { case: "keepLeasesAlive", value } as const;
      return toBinary(MemberRequestSchema, create(MemberRequestSchema, { kind }));
    };
    assert.equal(decodeRequest(question(maxLeasesAsked))?.kind, "keepLeasesAlive");
    assert.equal(decodeRequest(question(maxLeasesAsked + 1)), undefined);
  });

  it("is an answer that says nothing of the outcome", () => {
    const value = create(StateHashSchema, { index });
    const answer = create(MemberResponseSchema, { kind: { case: "stateHash", value } });
    for (const body of [toBinary(MemberResponseSchema, answer), Buffer.from([0xff])]) {
      const response = decodeResponse(body);
      assert.ok(response.kind === "failure" && response.error.code === "outcomeUnknown");
    }
  });

  it("is no answer with a revision that nobody can have counted to", () => {
    const answer = (revision: bigint): Uint8Array => {
      const value = create(StateHashSchema, { index: 3n, revision, hash: Uint8Array.of(1) });
      const kind = { case: "stateHash", value } as const;
      return toBinary(MemberResponseSchema, create(MemberResponseSchema, { kind }));
    };
    const known = decodeResponse(answer(2n ** 53n - 1n));
    assert.ok(known.kind === "stateHash" && known.known?.revision === 2 ** 53 - 1);
    assert.equal(decodeResponse(answer(2n ** 53n)).kind, "failure");
  });
});
