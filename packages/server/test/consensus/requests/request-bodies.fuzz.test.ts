/** What members ask each other beside the protocol of Raft. */
import assert from "node:assert/strict";
import { damagedMessage, fuzz } from "@dkv/fuzz";
import { logIndex, nodeId } from "@dkv/raft";
import fc from "fast-check";
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  type MemberRequest,
  type MemberResponse,
} from "../../../src/consensus/requests/request-bodies.ts";
import { DkvError } from "../../../src/platform/errors.ts";

const text = fc.string({ unit: "binary", maxLength: 20 });
const id = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(nodeId);
const index = fc.bigInt({ min: 0n, max: 2n ** 52n }).map((one) => logIndex(Number(one)));
const timeoutMs = fc.nat();
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const ids = fc.array(int64, { maxLength: 4 });
const leaseTime = fc.record({ grantedTtl: int64.filter((ttl) => ttl !== 0n), remainingTtl: int64 });

const request: fc.Arbitrary<MemberRequest> = fc.oneof(
  fc.record({
    kind: fc.constant("change"),
    timeoutMs,
    newId: id,
    change: fc.oneof(
      fc.record({ kind: fc.constantFrom("join", "update"), name: text, peerAddress: text }),
      fc.record({ kind: fc.constantFrom("leave", "promote"), name: text }),
      fc.record({ kind: fc.constant("replace"), old: text, name: text, peerAddress: text }),
    ),
  }),
  fc.record({ kind: fc.constant("moveLeader"), name: text, timeoutMs }),
  fc.record({ kind: fc.constant("listFollowers"), timeoutMs }),
  fc.record({ kind: fc.constant("stateHash"), index, timeoutMs }),
  fc.record({ kind: fc.constantFrom("keepLeasesAlive", "leaseTimes"), ids, timeoutMs }),
);

fuzz("requests between members", {
  input: damagedMessage(request.map(encodeRequest)),
  check(bytes) {
    const decoded = decodeRequest(bytes);
    if (decoded !== undefined) assert.deepEqual(decodeRequest(encodeRequest(decoded)), decoded);
  },
});

const response: fc.Arbitrary<MemberResponse> = fc.oneof(
  fc.record({ kind: fc.constant("done") }),
  fc.record({
    kind: fc.constant("failure"),
    error: text.map((message) => new DkvError("overloaded", message)),
  }),
  fc.record({
    kind: fc.constant("followers"),
    followers: fc.record({
      lastIndex: index,
      matches: fc.array(fc.tuple(id, index), { maxLength: 4 }).map((rows) => new Map(rows)),
    }),
  }),
  fc.record({
    kind: fc.constant("stateHash"),
    index,
    known: fc.option(fc.record({ index, revision: index, hash: fc.uint8Array({ maxLength: 32 }) }), {
      nil: undefined,
    }),
  }),
  fc.record({
    kind: fc.constant("leaseTimes"),
    times: fc.array(fc.option(leaseTime, { nil: undefined }), { maxLength: 4 }),
  }),
);

fuzz("responses between members", {
  input: damagedMessage(response.map(encodeResponse)),
  check(bytes) {
    const decoded = decodeResponse(Uint8Array.from(bytes));
    assert.deepEqual(decodeResponse(encodeResponse(decoded)), decoded);
  },
});
