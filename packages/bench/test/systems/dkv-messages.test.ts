import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { GetServersResponseSchema } from "@dkv/protocol/dkv/v1/dkv";
import { saysItLeads } from "../../src/systems/dkv-messages.ts";

function response(answering: bigint, leader: bigint | undefined): Uint8Array {
  const servers = [1n, 2n, 3n].map((memberId) => ({ memberId, isLeader: memberId === leader }));
  return toBinary(
    GetServersResponseSchema,
    create(GetServersResponseSchema, { servers, header: { memberId: answering } }),
  );
}

test("only the member that answers for itself is taken for the leader", () => {
  assert.equal(saysItLeads(response(2n, 2n)), true);
  assert.equal(saysItLeads(response(1n, 2n)), false);
  assert.equal(saysItLeads(response(1n, undefined)), false);
});
