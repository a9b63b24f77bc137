import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { WireWriter } from "../../src/codec/wire-writer.ts";

describe("a field", () => {
  it("may have any number that protobuf knows", () => {
    for (const field of [1, 15, 16, 2047, 2048, 2 ** 29 - 1]) {
      const writer = new WireWriter(64);
      writer.bytes(field, Uint8Array.of(7));
      writer.count(field, 300);
      writer.fixed64(field, 2n ** 63n);
      const reader = new BinaryReader(writer.finishFrame().subarray(4));
      assert.deepEqual(reader.tag(), [field, WireType.Bit64]);
      assert.equal(BigInt(reader.fixed64()), 2n ** 63n);
      assert.deepEqual(reader.tag(), [field, WireType.Varint]);
      assert.equal(reader.uint32(), 300);
      assert.deepEqual(reader.tag(), [field, WireType.LengthDelimited]);
      assert.deepEqual([...reader.bytes()], [7]);
    }
  });
});
