/** JSON as it comes to the gateway: values out of any bytes in any pieces, and requests of any content. */
import assert from "node:assert/strict";
import { damaged, fuzz, inPieces } from "@dkv/fuzz";
import { ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import { pino } from "pino";
import { BodyBudget } from "../../src/api/body-budget.ts";
import { createClientApi } from "../../src/api/client-api.ts";
import { jsonTexts } from "../../src/api/etcd-v3/gateway/json-texts.ts";
import { MemberInMemory } from "./member-in-memory.ts";

const blank = fc.stringMatching(/^[ \t\r\n]{0,3}$/);
const value = fc.jsonValue().map((one) => JSON.stringify(one));

/** Words and numbers need something behind them. */
const values = fc.array(fc.tuple(blank, value), { maxLength: 5 }).map((list) => ({
  texts: list.map(([, text]) => text),
  bytes: Buffer.from(list.map(([before, text]) => `${before}${text}\n`).join("")),
}));

async function* each<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  for (const item of items) yield await Promise.resolve(item);
}

const stillClock = {
  nowMs: () => 0,
  after: () => () => undefined,
  every: () => () => undefined,
  soon: setImmediate,
};

/** What was found, and whether the end came too early. */
async function textsIn(pieces: readonly Buffer[]) {
  const budget = new BodyBudget({ maxBytes: 1e6, maxConnectionBytes: 1e6 });
  const connection = {};
  const limit = {
    maxBytes: 1e6,
    tooLarge: () => new Error("nothing is so large"),
    timed: "message",
    timeoutMs: 1,
    onTimeout: () => undefined,
  } as const;
  const texts: string[] = [];
  let isWhole = true;
  try {
    for await (const text of jsonTexts(each(pieces), limit, { budget, connection, clock: stillClock }))
      texts.push(text);
  } catch (error) {
    assert.ok(error instanceof ConnectError, String(error));
    isWhole = false;
  }
  budget.take(connection, 1e6);
  return { texts, isWhole };
}

fuzz("JSON values one behind the other", {
  input: values.chain(({ texts, bytes }) => fc.tuple(fc.constant(texts), inPieces(fc.constant(bytes)))),
  async check([texts, pieces]) {
    assert.deepEqual(await textsIn(pieces), { texts, isWhole: true });
  },
});

fuzz("JSON values that are damaged", {
  input: damaged(values.map(({ bytes }) => bytes)).chain((bytes) =>
    fc.tuple(fc.constant(bytes), inPieces(fc.constant(bytes))),
  ),
  async check([bytes, pieces]) {
    const inOne = await textsIn([bytes]);
    assert.deepEqual(await textsIn(pieces), inOne, "it does not matter in which pieces they come");
    if (bytes.toString() !== bytes.toString("latin1")) return;
    const solid = (text: string): string => text.replaceAll(/\s/g, "");
    const found = solid(inOne.texts.join(""));
    assert.ok(solid(bytes.toString()).startsWith(found), "nothing is lost, added, or in another place");
    if (inOne.isWhole) assert.equal(found, solid(bytes.toString()));
  },
});

const bytesField = fc.oneof(fc.base64String({ maxLength: 12 }), fc.anything({ maxDepth: 1 }));
const numberField = fc.oneof(
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
  fc.integer({ min: -2, max: 9 }),
  fc.anything({ maxDepth: 0 }),
);
const range = fc.record(
  {
    key: bytesField,
    range_end: bytesField,
    limit: numberField,
    revision: numberField,
    sort_order: fc.constantFrom("ASCEND", "DESCEND", "NOTHING", 1, 9, null),
    serializable: fc.oneof(fc.boolean(), fc.string()),
  },
  { requiredKeys: [] },
);
const put = fc.record({ key: bytesField, value: bytesField, lease: numberField }, { requiredKeys: ["key"] });
const operation = fc.oneof(
  range.map((request_range) => ({ request_range })),
  put.map((requestPut) => ({ requestPut })),
);
const txn = fc.record(
  {
    compare: fc.array(fc.record({ key: bytesField, version: numberField }), { maxLength: 2 }),
    success: fc.array(operation, { maxLength: 3 }),
    failure: fc.anything({ maxDepth: 1 }),
  },
  { requiredKeys: [] },
);
const lease = fc.record({ ID: numberField, TTL: numberField }, { requiredKeys: [] });

const bodies: Readonly<Record<string, fc.Arbitrary<object>>> = {
  "/v3/kv/range": range,
  "/v3/kv/put": put,
  "/v3/kv/deleterange": range,
  "/v3/kv/txn": txn,
  "/v3/lease/grant": lease,
  "/v3/lease/keepalive": lease,
  "/v3/lease/timetolive": lease,
  "/v3/lock/unlock": put,
  "/v3/election/leader": fc.record({ name: bytesField }),
  "/v3/maintenance/alarm": fc.record({ action: numberField, alarm: numberField }),
};

/** What JSON cannot say is left out. */
const jsonOf = (body: object): string =>
  JSON.stringify(body, (_key, part: unknown) => (typeof part === "bigint" ? String(part) : part));

const request = fc.constantFrom(...Object.keys(bodies)).chain((path) =>
  fc.record({
    path: fc.constant(path),
    pieces: inPieces(
      damaged((bodies[path] ?? range).map((body) => Buffer.from(jsonOf(body)))).map((bytes) =>
        Buffer.from(bytes),
      ),
    ),
  }),
);

fuzz("requests with JSON", {
  input: request,
  runs: 200,
  async check({ path, pieces }) {
    const complaints: string[] = [];
    const logger = pino({ level: "warn" }, { write: (line: string) => complaints.push(line) });
    const api = createClientApi(
      new MemberInMemory(),
      { maxRequestBytes: 100_000, version: "1.2.3" },
      { clock: stillClock, logger },
    );
    const response = await api.onRequest({
      httpVersion: "1.1",
      method: "POST",
      scheme: "http",
      authority: "test",
      target: path,
      header: new Headers(),
      connection: {},
      body: each(pieces),
      signal: new AbortController().signal,
      abandon: () => undefined,
    });
    const parts: Uint8Array[] = [];
    for await (const part of response.body ?? []) parts.push(part);
    const lines = Buffer.concat(parts).toString().split("\n");
    for (const line of lines) if (line !== "") JSON.parse(line);
    assert.ok(response.status === 200 || (response.status >= 400 && response.status < 600));
    assert.deepEqual(complaints, [], "nothing happens that nobody expects");
  },
});
