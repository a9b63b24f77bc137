/** What clients of etcd rely on where they watch, keep leases alive, and read; and what slow ones may cost. */
import type { Mutant } from "../mutant.ts";

const api = "packages/server/src/api";
const etcd = `${api}/etcd-v3`;
const tests = "packages/server/test/api";
const bySlowClients = [`${tests}/etcd-slow-clients.test.ts`];
const byWatches = [`${tests}/etcd-watch.test.ts`];
const byProgress = [`${tests}/etcd-watch-progress.test.ts`];
const byReads = [`${tests}/etcd-reads.test.ts`];

const watches: readonly Mutant[] = [
  {
    does: "asks for more of what is watched, though its client takes nothing",
    file: `${etcd}/watch-call.ts`,
    guard: `if (this.#client.send(frame) === "waits") this.#isBlocked = true;`,
    instead: "this.#client.send(frame);",
    tests: bySlowClients,
  },
  {
    does: "takes more watches of a client that takes no answers",
    file: `${etcd}/watch-call.ts`,
    guard: "    return this.#isBlocked;\n",
    instead: "    return false;\n",
    tests: bySlowClients,
  },
  {
    does: "takes itself to be asking before there is anybody to ask",
    file: `${etcd}/watch-call.ts`,
    guard: `    if (this.#stream === undefined) return;
    this.#isAsking = true;
    this.#stream.next()`,
    instead: `    this.#isAsking = true;
    this.#stream?.next()`,
    tests: bySlowClients,
  },
  {
    does: "tells of progress beyond what waits for the client",
    file: `${etcd}/watch-call.ts`,
    guard: "this.#isAsking ? this.#entries.progressing() : []",
    instead: "this.#entries.progressing()",
    tests: bySlowClients,
  },
  {
    does: "ends the stream when there are too many watches",
    file: `${etcd}/watch-call.ts`,
    guard: `      if (code === "overloaded") this.#refuse(etcdErrorText("tooManyRequests"));\n      else if`,
    instead: "      if",
    tests: byWatches,
  },
  {
    does: "keeps the ids of all watches whose history was given up",
    file: `${etcd}/watch-entries.ts`,
    guard: "    if (this.#lost.size > mostLost) this.#forget(oldest);\n",
    tests: byWatches,
  },
  {
    does: "goes on watching what was canceled",
    file: `${etcd}/watch-call.ts`,
    guard: "    if (canceled.number !== undefined) this.#stream?.cancel(canceled.number);\n",
    tests: byWatches,
  },
  {
    does: "tells any number of events in one answer",
    file: `${etcd}/watch-requests.ts`,
    guard: " && events <= fewEvents",
    tests: byWatches,
  },
  {
    does: "answers a wish for progress for watches that began later",
    file: `${etcd}/watch-progress.ts`,
    guard: "if (askedAfter === this.#created) return true;",
    instead: "return true;",
    tests: byProgress,
  },
  {
    does: "tells of progress who was just told something else",
    file: `${etcd}/watch-progress.ts`,
    guard: "wasTold ? undefined : ",
    tests: byProgress,
  },
];

const reads: readonly Mutant[] = [
  {
    does: "keeps any number of leases alive at once for one stream",
    file: `${etcd}/keep-alive-call.ts`,
    guard: "return this.#waiting.length >= maxWaiting;",
    instead: "return false;",
    tests: bySlowClients,
  },
  {
    does: "makes any number of snapshots at once",
    file: `${etcd}/snapshot/stream.ts`,
    guard: "this.#running.count >= maxSnapshots",
    instead: "this.#running.count < 0",
    tests: bySlowClients,
  },
  {
    does: "makes answers for a client that takes none",
    file: `${api}/generated-stream.ts`,
    guard: `if (this.#client.send(frame) === "waits") await this.#drained();`,
    instead: "this.#client.send(frame);",
    tests: bySlowClients,
  },
  {
    does: "reads what may be old",
    file: `${etcd}/kv-service.ts`,
    guard: "    await caughtUp(this.#member, request, timeoutMs);\n",
    tests: byReads,
  },
  {
    does: "reads in parts what may be old",
    file: `${etcd}/range-stream.ts`,
    guard: "    await caughtUp(this.#member, request);\n",
    tests: byReads,
  },
  {
    does: "refuses a revision as one to come that a slower member has not heard of",
    file: "packages/server/src/api/caught-up.ts",
    guard: " || !isHere",
    tests: ["packages/server/test/api/caught-up.test.ts"],
  },
  {
    does: "tells keys of a lease that may be old",
    file: `${etcd}/lease-service.ts`,
    guard: "    if (wantKeys) await this.#member.readBarrier(timeoutMs);\n",
    tests: byReads,
  },
  {
    does: "reads any number of bytes for one part of a range",
    file: `${etcd}/range-stream.ts`,
    guard: ", { maxBytes: partBytes }",
    tests: byReads,
  },
  {
    does: "sorts by the wrong revision",
    file: `${etcd}/commands.ts`,
    guard: "[SortTarget.CREATE]: RangeTarget.CREATE_REVISION",
    instead: "[SortTarget.CREATE]: RangeTarget.MOD_REVISION",
    tests: byReads,
  },
  {
    does: "hands over intervals as arguments, of which there are too many",
    file: `${etcd}/intervals.ts`,
    guard: "    for (const run of other.#inOrder()) this.#insert(run);\n",
    instead: "    this.#added.push(...other.#inOrder().flat());\n",
    tests: [`${tests}/etcd-intervals.test.ts`],
  },
];

export const etcdStreamMutants: readonly Mutant[] = [...watches, ...reads];
