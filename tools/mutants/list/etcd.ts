/** What clients of etcd rely on where they ask their member for locks and elections, or speak JSON. */
import type { Mutant } from "../mutant.ts";

const etcd = "packages/server/src/api/etcd-v3";
const tests = "packages/server/test/api";
const byLocks = [`${tests}/etcd-lock.test.ts`, `${tests}/etcd-election.test.ts`];
const byElections = [`${tests}/etcd-election.test.ts`];
const byGateway = [`${tests}/etcd-gateway.test.ts`, `${tests}/etcd-gateway-streams.test.ts`];
const byStreams = [`${tests}/etcd-gateway-streams.test.ts`];
const byFuzzing = [`${tests}/json-texts.fuzz.test.ts`, ...byGateway];

const queues: readonly Mutant[] = [
  {
    does: "gives a lock to everybody",
    file: `${etcd}/concurrency/place.ts`,
    guard: "isFirst: first?.createRevision === createRevision",
    instead: "isFirst: first !== undefined",
    tests: byLocks,
  },
  {
    does: "waits for who came later",
    file: `${etcd}/concurrency/place.ts`,
    guard: "  maxCreateRevision: createRevision - 1n,\n",
    tests: byLocks,
  },
  {
    does: "waits on when the place is lost",
    file: `${etcd}/concurrency/place.ts`,
    guard: "    if (own.kvs[0]?.createRevision !== place.createRevision) throw lost();\n",
    tests: byLocks,
  },
  {
    does: "is not told that its own place is lost",
    file: `${etcd}/concurrency/place.ts`,
    guard: "keys: [Uint8Array.from(last.key), place.key]",
    instead: "keys: [Uint8Array.from(last.key)]",
    tests: byLocks,
  },
  {
    does: "does not look again when the history that it watches was given up",
    file: `${etcd}/concurrency/place.ts`,
    guard: "if (canceled || events.some(",
    instead: "if (events.some(",
    tests: byLocks,
  },
  {
    does: "takes away a place that is another one's by now",
    file: `${etcd}/concurrency/place.ts`,
    guard: "compare: [createdIn(key, createRevision)], success: [deletion]",
    instead: "compare: [], success: [deletion]",
    tests: byElections,
  },
  {
    does: "leaves its place in the queue for a lock behind",
    file: `${etcd}/concurrency/lock-service.ts`,
    guard: "      await leave(calls, place, surroundings).catch(() => undefined);\n",
    tests: byLocks,
  },
  {
    does: "goes on standing in an election for nobody",
    file: `${etcd}/concurrency/election-service.ts`,
    guard: "      await leave(calls, place, surroundings).catch(() => undefined);\n",
    tests: byElections,
  },
  {
    does: "lets who is not elected proclaim",
    file: `${etcd}/concurrency/election-service.ts`,
    guard: "    if (!succeeded) throw notLeader();\n",
    tests: byElections,
  },
  {
    does: "does not tell those who wait that their client has gone",
    file: "packages/server/src/api/generated-stream.ts",
    guard: "    this.#gone.abort();\n",
    tests: byLocks,
  },
];

const gateway: readonly Mutant[] = [
  {
    does: "rounds numbers that are long",
    file: `${etcd}/gateway/json-messages.ts`,
    guard: "mayBeLong.test(text)",
    instead: "text === undefined",
    tests: byGateway,
  },
  {
    does: "refuses what it does not know",
    file: `${etcd}/gateway/json-messages.ts`,
    guard: "ignoreUnknownFields: true, ",
    tests: byGateway,
  },
  {
    does: "writes what a page would take for its own",
    file: `${etcd}/gateway/json-messages.ts`,
    guard: "/[<>&\\u2028\\u2029]/g",
    instead: "/[]/g",
    tests: byGateway,
  },
  {
    does: "takes JSON that is nested as deep as anybody likes",
    file: `${etcd}/gateway/json-scanner.ts`,
    guard: `      if (this.#depth > maxDepth) throw new ConnectError("exceeded max depth", Code.InvalidArgument);\n`,
    tests: byGateway,
  },
  {
    does: "takes an escaped quote for the end of a string",
    file: `${etcd}/gateway/json-scanner.ts`,
    guard: `        if (byte === backslash) this.#state = "escape";\n`,
    tests: byFuzzing,
  },
  {
    does: "takes brackets within strings for brackets",
    file: `${etcd}/gateway/json-scanner.ts`,
    guard: `    if (byte === quote) {\n      this.#state = "string";\n    } else if`,
    instead: "    if",
    tests: byFuzzing,
  },
  {
    does: "takes half a value for none",
    file: `${etcd}/gateway/json-scanner.ts`,
    guard: `    if (this.#state !== "between" && this.#state !== "word")\n      throw new ConnectError("unexpected EOF", Code.InvalidArgument);\n`,
    tests: byGateway,
  },
  {
    does: "takes messages of any size as JSON",
    file: `${etcd}/gateway/requests.ts`,
    guard: "  if (bytes.length > limit.maxBytes) throw limit.tooLarge(bytes.length);\n",
    tests: byGateway,
  },
  {
    does: "ends a stream for a later value that is no message",
    file: `${etcd}/gateway/requests.ts`,
    guard: "    if (!isMalformed(error)) throw error;",
    instead: "    throw error;",
    tests: byStreams,
  },
  {
    does: "waits longer than the client of a stream says",
    file: `${etcd}/gateway/call-end.ts`,
    guard: "timeoutMs === undefined\n",
    instead: "timeoutMs !== -1\n",
    tests: byGateway,
  },
  {
    does: "keeps watches of clients of the gateway that have gone",
    file: `${etcd}/gateway/call-end.ts`,
    guard: `    gone.addEventListener("abort", this.#onGone);\n`,
    tests: byStreams,
  },
  {
    does: "keeps streams of the gateway open when the member stops",
    file: `${etcd}/gateway/call-end.ts`,
    guard: `    shutdown.addEventListener("abort", this.#onShutdown);\n`,
    tests: byStreams,
  },
  {
    does: "takes any field of a request of the gateway for one of the call",
    file: `${etcd}/gateway/terms.ts`,
    guard: 'name === "authorization" ? header.get(name) : undefined',
    instead: "header.get(name)",
    tests: byGateway,
  },
  {
    does: "waits for a body of JSON as long as it takes",
    file: `${etcd}/gateway/json-texts.ts`,
    guard: `    time.start("request");\n`,
    tests: byGateway,
  },
];

const health: readonly Mutant[] = [
  {
    does: "finds a member well that reaches no quorum",
    file: "packages/server/src/api/health/etcd-health.ts",
    guard: "    return member.readBarrier(quorumTimeoutMs).then(",
    instead: "    return Promise.resolve().then(",
    tests: [`${tests}/health.test.ts`],
  },
  {
    does: "finds a member well that nothing can be written to",
    file: "packages/server/src/api/health/etcd-health.ts",
    guard: `    if (isFull && !excluded.has("NOSPACE")) return "ALARM NOSPACE";\n`,
    tests: [`${tests}/health.test.ts`],
  },
];

export const etcdMutants: readonly Mutant[] = [...queues, ...gateway, ...health];
