import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create } from "@bufbuild/protobuf";
import {
  DeleteCommandSchema,
  SetCommandSchema,
  type TxnCommand,
  TxnCommandSchema,
} from "@dkv/protocol/dkv/peer/v1/command";
import { TxnRequestSchema, TxnSetSchema } from "@dkv/protocol/dkv/v1/dkv";
import { decodeCommand, encodeCommand, type Operation, plainSet } from "@dkv/store";
import { plainDelete, setCommand } from "../../src/api/dkv-v1/commands.ts";
import { txnCommand } from "../../src/api/dkv-v1/txn-command.ts";

const key = new Uint8Array(Buffer.from("k"));
const value = new Uint8Array(Buffer.from("v"));
const leases = { newId: () => 77n, leastTtl: 5n };
const terms = { ttlSeconds: 0n, lease: 0n, returnPrevious: false };
const id = { proposer: 1n, sequence: 2 };

/** As a member applies it. */
const logged = (operation: Operation) => decodeCommand(encodeCommand(id, operation)).operation;

describe("a command of a request", () => {
  const sets = [
    { what: "a plain set", made: plainSet(key, value), meant: { key, value } },
    {
      what: "a set with a lease",
      made: setCommand({ key, value }, { ...terms, lease: 9n }, leases),
      meant: { key, value, lease: 9n },
    },
    {
      what: "a set with a time of its own",
      made: setCommand({ key, value }, { ...terms, ttlSeconds: 60n, returnPrevious: true }, leases),
      meant: { key, value, lease: 77n, grantTtl: 60n, wantPrevious: true },
    },
    {
      what: "a set with too short a time",
      made: setCommand({ key, value }, { ...terms, ttlSeconds: 1n }, leases),
      meant: { key, value, lease: 77n, grantTtl: 5n },
    },
  ];
  for (const { what, made, meant } of sets) {
    it(`is what the log of every member has of ${what}`, () => {
      const expected = logged({ case: "set", value: create(SetCommandSchema, meant) });
      assert.deepEqual(logged({ case: "set", value: made }), expected);
    });
  }

  it("that brings a lease along names it, alone, in a transaction and in one inside of that", () => {
    const brief = create(TxnSetSchema, { key: "k", value, ttlSeconds: 60n });
    const set = { operation: { case: "set" as const, value: brief } };
    const nested = create(TxnRequestSchema, { failure: [set] });
    const request = create(TxnRequestSchema, {
      success: [set, { operation: { case: "txn", value: nested } }],
    });
    const named: unknown[] = [];
    const collect = ({ success, failure }: TxnCommand): void => {
      for (const { operation } of [...success, ...failure]) {
        if (operation.case === "set") named.push([operation.value.lease, operation.value.grantTtl]);
        if (operation.case === "txn") collect(operation.value);
      }
    };
    collect(txnCommand(request, leases));
    assert.deepEqual(named, [
      [77n, 60n],
      [77n, 60n],
    ]);
  });

  it("is what the log of every member has of a delete", () => {
    const expected = logged({ case: "delete", value: create(DeleteCommandSchema, { key }) });
    assert.deepEqual(logged({ case: "delete", value: plainDelete(key) }), expected);
  });

  it("is what the log of every member has of a transaction", () => {
    const request = create(TxnRequestSchema, {
      success: [
        { operation: { case: "set", value: { key: "k", value } } },
        { operation: { case: "delete", value: { keys: { keys: { case: "prefix", value: "p" } } } } },
      ],
    });
    const rangeEnd = new Uint8Array(Buffer.from("q"));
    const meant = create(TxnCommandSchema, {
      success: [
        { operation: { case: "set", value: { key, value } } },
        { operation: { case: "delete", value: { key: new Uint8Array(Buffer.from("p")), rangeEnd } } },
      ],
    });
    const expected = logged({ case: "txn", value: meant });
    assert.deepEqual(logged({ case: "txn", value: txnCommand(request, leases) }), expected);
  });
});
