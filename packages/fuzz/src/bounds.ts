/** What reading some bytes may cost: neither memory nor time beyond proportion. */
import assert from "node:assert/strict";
import { getHeapStatistics } from "node:v8";

/** Whatever the input is. A length that is believed before the bytes are there soon takes more. */
const freeBytes = 8 * 2 ** 20;

/** Objects made of messages are larger than the messages. */
const bytesPerByte = 100;

/** Of the processor's time, which passes for this thread alone: a busy machine makes no difference. */
const mostMicroseconds = 3_000_000;

/** Runs `check`; rejects as it does, and also if it took memory or time out of all proportion to `input`. */
export async function withinBounds(input: unknown, check: () => void | Promise<void>): Promise<void> {
  const mostBytes = freeBytes + bytesPerByte * bytesOf(input);
  const before = getHeapStatistics();
  const time = process.threadCpuUsage();
  await check();
  const { user, system } = process.threadCpuUsage(time);
  const { used_heap_size: heap, external_memory: outside } = getHeapStatistics();
  // Apart, for either may have been cleared up meanwhile.
  const took = Math.max(heap - before.used_heap_size, outside - before.external_memory);
  assert.ok(
    took <= mostBytes,
    `it took ${String(took)} bytes of memory, where ${String(mostBytes)} would do`,
  );
  assert.ok(user + system <= mostMicroseconds, `it took ${String(user + system)} µs of the processor`);
}

/** About the bytes of whatever an input is made of. */
function bytesOf(input: unknown): number {
  if (input instanceof Uint8Array) return input.length;
  if (typeof input === "string") return 2 * input.length;
  if (typeof input !== "object" || input === null) return 8;
  let sum = 0;
  for (const part of Object.values(input)) sum += bytesOf(part);
  return sum;
}
