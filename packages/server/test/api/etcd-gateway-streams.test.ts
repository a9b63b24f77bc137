/** Streams of the JSON gateway: values one behind the other, and a line for each answer. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { describe, it, type TestContext } from "node:test";
import { DkvError } from "../../src/platform/errors.ts";
import { openClientPort, type PortOptions } from "./client-port.ts";
import { base64, linesOf, openPost, overHttp1, overHttp2 } from "./json-client.ts";

async function open(t: TestContext, options: PortOptions = {}) {
  const port = await openClientPort(t, options);
  const post = overHttp1(port.url);
  /** Sends a body that goes on, and reads lines. */
  const stream = async (path: string, first: unknown, fields?: Record<string, string>) => {
    const request = openPost(port.url + path, fields);
    request.on("error", () => undefined);
    t.after(() => request.destroy());
    request.write(typeof first === "string" ? first : JSON.stringify(first));
    const [response] = (await once(request, "response")) as [IncomingMessage];
    response.on("error", () => undefined);
    const lines = linesOf(response);
    const next = async () => JSON.parse((await lines.next()).value ?? "null") as Line;
    return { request, response, next };
  };
  return { ...port, post, stream };
}

interface Line {
  readonly result?: {
    readonly watch_id?: string;
    readonly created?: boolean;
    readonly canceled?: boolean;
    readonly events?: readonly { readonly type?: string; readonly kv: { readonly key: string } }[];
    readonly ID?: string;
    readonly TTL?: string;
    readonly blob?: string;
    readonly kv?: { readonly value: string };
  };
  readonly error?: object;
}

const create = (key: string, more = {}) => ({ create_request: { key: base64(key), ...more } });

describe("a stream of the JSON gateway", () => {
  it("watches what is asked for while it goes on, and ends with its client", async (t) => {
    const { stream, post, member } = await open(t);
    const { request, response, next } = await stream("/v3/watch", create("a"));
    assert.equal(response.headers["content-type"], "application/json");
    assert.equal((await next()).result?.created, true);
    // In pieces, and without anything in between.
    const more = `${JSON.stringify(create("b", { watch_id: 7 }))}{"cancel_request":{"watch_id":7}}`;
    for (const piece of [more.slice(0, 30), more.slice(30)]) request.write(piece);
    assert.deepEqual([(await next()).result?.watch_id, (await next()).result?.canceled], ["7", true]);
    await post("/v3/kv/put", { key: base64("a") });
    await post("/v3/kv/deleterange", { key: base64("a") });
    const events: unknown[] = [];
    while (events.length < 2) events.push(...((await next()).result?.events ?? []));
    assert.deepEqual(events, [
      { kv: { key: "YQ==", create_revision: "2", mod_revision: "2", version: "1" } },
      { type: "DELETE", kv: { key: "YQ==", mod_revision: "3" } },
    ]);
    assert.equal(member.watches.openStreams, 1);
    request.destroy();
    while (member.watches.openStreams > 0) await new Promise(setImmediate);
  });

  it("watches over HTTP/2 when the body has ended, until its time is up", async (t) => {
    const { url } = await openClientPort(t);
    const { status, text } = await overHttp2(url)("/v3/watch", create("a"), { "grpc-timeout": "100m" });
    const [created, end] = text.split("\n");
    assert.equal(status, 200);
    assert.match(created ?? "", /^\{"result":\{"header":\{.*\},"created":true\}\}$/);
    const words = '"message":"context deadline exceeded","http_status":"Gateway Timeout"';
    assert.equal(end, `{"error":{"grpc_code":4,"http_code":504,${words}}}`);
  });

  it("is refused for a first value that is no message, and takes no more after a later one", async (t) => {
    const { stream, post, member } = await open(t);
    for (const body of ["{", '{"create_request":{"key":"!!"}}']) {
      const { status, text } = await post("/v3/watch", body);
      assert.deepEqual([status, (JSON.parse(text) as { code: number }).code], [500, 2]);
    }
    const { next } = await stream(
      "/v3/watch",
      `${JSON.stringify(create("a"))}x ${JSON.stringify(create("b"))}`,
    );
    assert.equal((await next()).result?.created, true);
    await post("/v3/kv/put", { key: base64("b") });
    await post("/v3/kv/put", { key: base64("a") });
    assert.equal((await next()).result?.events?.[0]?.kv.key, "YQ==");
    member.watches.failure = new DkvError("noLeader", "there is no leader");
    const refused = await post("/v3/watch", create("a"));
    assert.deepEqual(
      [refused.status, refused.text],
      [503, '{"error":"etcdserver: no leader","message":"etcdserver: no leader","code":14}'],
    );
    member.watches.wake();
    assert.deepEqual((await next()).error, {
      grpc_code: 14,
      http_code: 503,
      message: "etcdserver: no leader",
      http_status: "Service Unavailable",
    });
  });

  it("ends with a value that is too large, or takes too long to come", async (t) => {
    const { stream } = await open(t, { maxRequestBytes: 1000 });
    const large = await stream("/v3/watch", create("a"));
    assert.equal((await large.next()).result?.created, true);
    large.request.write(JSON.stringify(create("a", { range_end: base64("b".repeat(600_000)) })));
    assert.deepEqual((await large.next()).error, {
      grpc_code: 8,
      http_code: 429,
      message: "grpc: received message larger than max (600011 vs. 525288)",
      http_status: "Too Many Requests",
    });
    const { stream: slowly } = await open(t, { bodyTimeoutMs: 50 });
    const slow = await slowly("/v3/watch", `${JSON.stringify(create("a"))}  `);
    assert.equal((await slow.next()).result?.created, true);
    slow.request.write("{");
    await assert.rejects(slow.next());
  });

  it("keeps leases alive, in their order, and ends with the body", async (t) => {
    const { post } = await open(t);
    await post("/v3/lease/grant", { ID: "7587883021234567891", TTL: 60 });
    const { status, text } = await post("/v3/lease/keepalive", '{"ID":7587883021234567891}{"ID":1}');
    const lines = text
      .split("\n")
      .map((line) => (line === "" ? undefined : (JSON.parse(line) as Line).result));
    assert.deepEqual(
      [status, lines.map((line) => [line?.ID, line?.TTL])],
      [
        200,
        [
          ["7587883021234567891", "60"],
          ["1", undefined],
          [undefined, undefined],
        ],
      ],
    );
    assert.deepEqual(await post("/v3/lease/keepalive", ""), {
      status: 200,
      contentType: "application/json",
      text: "",
    });
  });

  it("has the whole snapshot", async (t) => {
    const { post, member } = await open(t);
    const { text } = await post("/v3/maintenance/snapshot");
    const blobs = text
      .split("\n")
      .map((line) => (line === "" ? "" : (JSON.parse(line) as Line).result?.blob));
    const bytes = Buffer.concat(blobs.map((blob) => Buffer.from(blob ?? "", "base64")));
    assert.equal(bytes.length % 512, 32, "pages, and their hash");
    assert.equal(member.openSnapshots, 0);
  });

  it("observes an election, and ends when the member stops", async (t) => {
    const { stream, post, close } = await open(t);
    const name = base64("e");
    await post("/v3/election/campaign", { name, value: base64("one") });
    const { next } = await stream("/v3/election/observe", { name });
    assert.equal((await next()).result?.kv?.value, base64("one"));
    void close(5000);
    assert.deepEqual((await next()).error, {
      grpc_code: 14,
      http_code: 503,
      message: "the member is stopping: use another one",
      http_status: "Service Unavailable",
    });
  });

  it("leaves the queue for a lock with its client", async (t) => {
    const { post, url, member } = await open(t);
    await post("/v3/lock/lock", { name: base64("l") });
    const request = openPost(`${url}/v3/lock/lock`);
    request.on("error", () => undefined);
    request.end(JSON.stringify({ name: base64("l") }));
    const waits = async (count: string): Promise<void> => {
      const range = { key: base64("l/"), range_end: base64("l0"), count_only: true };
      for (;;) {
        const { text } = await post("/v3/kv/range", range);
        if ((JSON.parse(text) as { count?: string }).count === count) return;
      }
    };
    await waits("2");
    request.destroy();
    await waits("1");
    while (member.watches.openStreams > 0) await new Promise(setImmediate);
  });
});
