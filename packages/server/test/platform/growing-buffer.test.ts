import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { GrowingBuffer } from "../../src/platform/growing-buffer.ts";

describe("a growing buffer", () => {
  it("holds what was appended, in less than twice as much memory and never more than was expected", () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 60 });
    fc.assert(
      fc.property(pieces, fc.nat(2000), (pieces, expectedBytes) => {
        const buffer = new GrowingBuffer();
        for (const piece of pieces) {
          const capacity = buffer.capacityWith(piece.length, expectedBytes);
          buffer.append(piece, expectedBytes);
          assert.equal(buffer.capacityWith(0, expectedBytes), capacity);
          assert.ok(capacity >= buffer.length && capacity <= Math.max(2 * buffer.length, 1));
          if (buffer.length <= expectedBytes) assert.ok(capacity <= expectedBytes);
        }
        assert.deepEqual(buffer.take(), Buffer.concat(pieces));
        assert.equal(buffer.length, 0);
        assert.equal(buffer.capacityWith(0, expectedBytes), 0);
      }),
    );
  });

  it("grows a few times only, even beyond what was expected", () => {
    const buffer = new GrowingBuffer();
    const capacities = new Set<number>();
    for (let i = 0; i < 100_000; i += 1) {
      buffer.append(Buffer.of(1), 1000);
      capacities.add(buffer.capacityWith(0, 1000));
    }
    assert.ok(capacities.size < 25, String(capacities.size));
  });
});
