/**
 * What the members of `make bench-store` are started with, besides themselves (`node --import`): it answers, on
 * a socket in the file system, what only a process can know of itself.
 *
 * A line asks, a line of JSON answers: `memory`, after what is garbage was collected; `loop`, how late the event
 * loop has been since it was asked last, from which on it is watched.
 */
import { rmSync } from "node:fs";
import { createServer } from "node:net";
import { monitorEventLoopDelay } from "node:perf_hooks";

const resolutionMs = 1;
const collections = 3;

const path = new URL(import.meta.url).searchParams.get("socket") ?? "";
const delay = monitorEventLoopDelay({ resolution: resolutionMs });

rmSync(path, { force: true });
createServer((socket) => {
  socket.on("error", () => socket.destroy());
  socket.once("data", (question) => {
    socket.end(`${JSON.stringify(answerTo(question.toString().trim()))}\n`);
  });
})
  .listen(path)
  .unref();

function answerTo(question: string): Readonly<Record<string, number>> {
  return question === "memory" ? memory() : loop();
}

function memory(): Readonly<Record<string, number>> {
  for (let left = collections; left > 0; left -= 1) globalThis.gc?.();
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  return { residentBytes: rss, heapBytes: heapUsed, externalBytes: external, bufferBytes: arrayBuffers };
}

/** What is recorded is the time from one look to the next, which are meant to be `resolutionMs` apart. */
function loop(): Readonly<Record<string, number>> {
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - resolutionMs);
  const answer = { maxMs: late(delay.max), p99Ms: late(delay.percentile(99)), looks: delay.count };
  delay.reset();
  delay.enable();
  return answer;
}
