import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  LeaseTimeToLiveResponseSchema,
  MemberListResponseSchema,
  StatusResponseSchema,
} from "@dkv/protocol/etcdserverpb/rpc";
import { Names } from "../../src/compare/names.ts";
import { laterFields, rules, underRules } from "../../src/compare/rules.ts";
import { toPlain } from "../../src/message/plain.ts";
import { methodOf } from "../../src/play/wire.ts";

function namesOf(home: bigint, ports: readonly number[]): Names {
  const names = new Names(ports);
  names.setMembers([home]);
  return names;
}

const convert = underRules(namesOf(77n, [4000, 4001]));

function timeToLive(init: MessageInitShape<typeof LeaseTimeToLiveResponseSchema>) {
  return toPlain(LeaseTimeToLiveResponseSchema, create(LeaseTimeToLiveResponseSchema, init), convert);
}

describe("the rules of comparison", () => {
  it("are all about fields that there are", () => {
    const { messages } = methodOf("KV/Put").parent.file;
    const fields = messages.flatMap(({ name, fields: own }) => own.map((field) => `${name}.${field.name}`));
    assert.deepEqual(
      [...Object.keys(rules), ...laterFields].filter((name) => !fields.includes(name)),
      [],
    );
  });

  it("leave every other field as it is", () => {
    const plain = timeToLive({ grantedTTL: 17n });
    assert.deepEqual(plain, { grantedTTL: 17 });
  });

  it("take the rest of a lease's time for the same a moment later, and none at all for another", () => {
    assert.deepEqual(timeToLive({ TTL: 99_999n }), timeToLive({ TTL: 99_990n }));
    assert.notDeepEqual(timeToLive({ TTL: -1n }), timeToLive({ TTL: 99_990n }));
  });

  it("do not mind the order of what etcd has in none", () => {
    const [a, b] = ["a", "b"].map((key) => Buffer.from(key));
    assert.deepEqual(timeToLive({ keys: [a, b] as Buffer[] }), timeToLive({ keys: [b, a] as Buffer[] }));
    assert.notDeepEqual(timeToLive({ keys: [a, b] as Buffer[] }), timeToLive({ keys: [a] as Buffer[] }));
  });

  it("give members and addresses their names", () => {
    const list = create(MemberListResponseSchema, {
      members: [{ ID: 77n, clientURLs: ["http://127.0.0.1:4000"], peerURLs: ["http://localhost:4001"] }],
    });
    assert.deepEqual(toPlain(MemberListResponseSchema, list, convert), {
      members: [{ ID: "home", clientURLs: ["http://address 1"], peerURLs: ["http://address 2"] }],
    });
  });

  it("notice a number that should be there and is not", () => {
    const status = (raftIndex: bigint) =>
      toPlain(StatusResponseSchema, create(StatusResponseSchema, { raftIndex, dbSizeQuota: 3n }), convert);
    assert.deepEqual(status(8n), status(9n));
    assert.notDeepEqual(status(8n), status(0n));
  });
});
