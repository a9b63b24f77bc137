import assert from "node:assert/strict";
import { test } from "node:test";
import { attach, detach } from "../src/lease/leases.ts";
import { mergeAttached } from "../src/lease/scan-leases.ts";
import { Overlay } from "../src/overlay/overlay.ts";
import type { RecordChange } from "../src/storage.ts";

const recordsOf = (overlay: Overlay) => ({
  record: () => undefined,
  put(record: RecordChange): void {
    overlay.put(record);
  },
});

test("of what becomes of a lease's keys the newest counts, be it saved, being saved, or neither", () => {
  const overlay = new Overlay();
  const records = recordsOf(overlay);
  attach(records, 7n, "attached twice");
  detach(records, 7n, "detached first");
  attach(records, 7n, "detached later");
  overlay.take();
  attach(records, 7n, "attached twice");
  attach(records, 7n, "detached first");
  detach(records, 7n, "detached later");
  detach(records, 7n, "saved and gone");
  const saved = ["detached later", "saved", "saved and gone"];
  assert.deepEqual(mergeAttached(saved, overlay.layers, 7n), ["attached twice", "detached first", "saved"]);
});

test("keys of other leases are none of its own, also where ids and keys look alike", () => {
  const overlay = new Overlay();
  const records = recordsOf(overlay);
  attach(records, 1n, "\0");
  attach(records, 256n, "key");
  attach(records, -1n, "last");
  assert.deepEqual(mergeAttached([], overlay.layers, 1n), ["\0"]);
  assert.deepEqual(mergeAttached([], overlay.layers, 0n), []);
  assert.deepEqual(mergeAttached([], overlay.layers, -1n), ["last"]);
});
