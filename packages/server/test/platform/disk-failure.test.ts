import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { describeDiskFailure } from "../../src/platform/disk-failure.ts";

const failed = (code: string, text: string): Error => Object.assign(new Error(`${code}: ${text}`), { code });

describe("a failed write", () => {
  it("says that the disk is full, or broken, and what to do", () => {
    const full = failed("ENOSPC", "no space left on device, write");
    const words = /^the disk of data is full \(ENOSPC: no space left on device, write\).*make room there/;
    assert.match(describeDiskFailure(full, "data") ?? "", words);
    const outside = new Error("the batch was not written", { cause: full });
    assert.match(describeDiskFailure(outside, "data") ?? "", words);
    assert.match(describeDiskFailure(failed("EDQUOT", "quota"), "data") ?? "", /is full/);
    assert.match(describeDiskFailure(failed("EIO", "i/o error, fdatasync"), "data") ?? "", /failed \(EIO/);
    assert.match(describeDiskFailure(failed("EROFS", "read-only, write"), "data") ?? "", /failed \(EROFS/);
  });

  it("is recognised by its text where LevelDB has lost its name", () => {
    const full = new Error("IO error: data/db/000005.log: No space left on device");
    assert.match(describeDiskFailure(full, "data") ?? "", /is full/);
    const broken = new Error("IO error: data/db/000005.log: Input/output error");
    assert.match(describeDiskFailure(broken, "data") ?? "", /failed/);
  });

  it("is left alone if something else was wrong", () => {
    for (const error of [
      failed("EBADF", "bad file descriptor, write"),
      new Error("assertion failed"),
      "text",
    ])
      assert.equal(describeDiskFailure(error, "data"), undefined);
  });
});
