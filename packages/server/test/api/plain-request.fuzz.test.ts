/** What is read by hand of Set, Get and Delete: nothing else was in it than protobuf-es finds. */
import assert from "node:assert/strict";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { damagedMessage, fuzz } from "@dkv/fuzz";
import { DeleteRequestSchema, GetRequestSchema, SetRequestSchema } from "@dkv/protocol/dkv/v1/dkv";
import fc from "fast-check";
import { readPlainRequest } from "../../src/api/dkv-v1/plain-request.ts";
import { requestReading } from "../../src/api/unary-method.ts";

const key = fc.string({ unit: "grapheme", maxLength: 60 });
const value = fc.uint8Array({ maxLength: 300 });
const rarely = fc.bigInt(0n, 1n);

fuzz("plain requests to set", {
  input: damagedMessage(
    fc
      .record({ key, value, ttlSeconds: rarely })
      .map((init) => toBinary(SetRequestSchema, create(SetRequestSchema, init))),
  ),
  check(bytes) {
    const read = readPlainRequest(Buffer.from(bytes), "set");
    if (read === undefined) return;
    assert.ok(read.kind === "set");
    const again = create(SetRequestSchema, { key: read.key.toString(), value: new Uint8Array(read.value) });
    assert.deepEqual(
      toBinary(SetRequestSchema, again),
      toBinary(SetRequestSchema, fromBinary(SetRequestSchema, bytes, requestReading)),
    );
  },
});

fuzz("plain requests to get", {
  input: damagedMessage(
    fc
      .record({ key, serializable: fc.boolean(), revision: rarely })
      .map((init) => toBinary(GetRequestSchema, create(GetRequestSchema, init))),
  ),
  check(bytes) {
    const read = readPlainRequest(Buffer.from(bytes), "get");
    if (read === undefined) return;
    assert.ok(read.kind === "get");
    const again = create(GetRequestSchema, { key: read.key.toString(), serializable: read.isSerializable });
    assert.deepEqual(
      toBinary(GetRequestSchema, again),
      toBinary(GetRequestSchema, fromBinary(GetRequestSchema, bytes, requestReading)),
    );
  },
});

fuzz("plain requests to delete", {
  input: damagedMessage(
    fc
      .record({ key, returnPrevious: fc.boolean() })
      .map((init) => toBinary(DeleteRequestSchema, create(DeleteRequestSchema, init))),
  ),
  check(bytes) {
    const read = readPlainRequest(Buffer.from(bytes), "delete");
    if (read === undefined) return;
    assert.ok(read.kind === "delete");
    const again = create(DeleteRequestSchema, { key: read.key.toString() });
    assert.deepEqual(
      toBinary(DeleteRequestSchema, again),
      toBinary(DeleteRequestSchema, fromBinary(DeleteRequestSchema, bytes, requestReading)),
    );
  },
});
