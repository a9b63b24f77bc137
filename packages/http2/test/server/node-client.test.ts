/** What Node's own client says is read as it was meant. */
import assert from "node:assert/strict";
import { once } from "node:events";
import http2, { type ClientHttp2Session, type IncomingHttpHeaders } from "node:http2";
import { describe, it, type TestContext } from "node:test";
import fc from "fast-check";
import { encodeHeaderBlock, type Header, type RequestHandler } from "../../src/index.ts";
import { echo, okBlock, serve } from "./raw-client.ts";

async function open(t: TestContext, handler: RequestHandler, options: http2.ClientSessionOptions = {}) {
  const { port } = await serve(t, handler);
  const session = http2.connect(`http://127.0.0.1:${String(port)}`, options);
  t.after(() => {
    session.destroy();
  });
  await once(session, "connect");
  return session;
}

interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
}

async function ask(
  session: ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders,
  body: Buffer = Buffer.alloc(0),
): Promise<Answer> {
  const stream = session.request({ ":method": "POST", ":path": "/", ...headers });
  const chunks: Buffer[] = [];
  let answer: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  stream.on("response", (received) => {
    answer = received;
  });
  stream.on("trailers", (received) => {
    trailers = received;
  });
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.end(body);
  await once(stream, "close");
  return { headers: answer, trailers, body: Buffer.concat(chunks) };
}

/** Answers with all that the head of the request said. */
const tell: RequestHandler = (stream) => {
  const { method, path, fields } = stream.head;
  stream.begin(okBlock);
  stream.write(Buffer.from(JSON.stringify({ method, path, fields: [...fields] })));
  stream.end();
  return {
    onData: () => undefined,
    onEnd: () => undefined,
    onAbort: () => undefined,
    onDrain: () => undefined,
  };
};

describe("Node's client", () => {
  it("gets headers, body and trailers", async (t) => {
    const session = await open(t, echo);
    const answer = await ask(session, {}, Buffer.from("hello"));
    assert.equal(answer.headers[":status"], 200);
    assert.equal(answer.trailers["done"], "yes");
    assert.equal(answer.body.toString(), "hello");
  });

  it("gets large answers to large requests, many at a time", async (t) => {
    const session = await open(t, echo);
    const bodies = Array.from({ length: 40 }, (_, at) => Buffer.alloc(100_000 + at, at));
    const answers = await Promise.all(bodies.map((body) => ask(session, {}, body)));
    for (const [at, { body }] of answers.entries()) assert.ok(bodies[at]?.equals(body), `body ${String(at)}`);
  });

  it("is understood whatever its header table holds", async (t) => {
    for (const maxDeflateDynamicTableSize of [0, 200, 4096]) {
      const session = await open(t, tell, { maxDeflateDynamicTableSize });
      const name = fc.stringMatching(/^x-[a-z0-9]{1,12}$/);
      const value = fc.oneof(fc.stringMatching(/^[!-~]([ -~]{0,60}[!-~])?$/), fc.constant(""));
      const request = fc.dictionary(name, value, { maxKeys: 8 });
      await fc.assert(
        fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 4 }), async (requests) => {
          for (const fields of [...requests, ...requests]) {
            const { body } = await ask(session, { ":path": "/tell", ...fields });
            const told = JSON.parse(body.toString());
            assert.deepEqual(new Map(told.fields), new Map(Object.entries(fields)));
            assert.deepEqual([told.method, told.path], ["POST", "/tell"]);
          }
        }),
        { numRuns: 30 },
      );
    }
  });

  it("gets header blocks that need several frames", async (t) => {
    const long: readonly Header[] = Array.from({ length: 40 }, (_, at) => [
      `x-${String(at)}`,
      "v".repeat(1000),
    ]);
    const block = encodeHeaderBlock([[":status", "200"], ...long]);
    const session = await open(
      t,
      (stream) => {
        stream.answerBriefly(block);
        return { onData() {}, onEnd() {}, onAbort() {}, onDrain() {} };
      },
      { maxHeaderListPairs: 1000, settings: { maxHeaderListSize: 100_000 } },
    );
    const { headers } = await ask(session, {});
    assert.equal(headers["x-39"], "v".repeat(1000));
  });

  it("may change its windows while answers wait", async (t) => {
    const session = await open(t, echo, { settings: { initialWindowSize: 10 } });
    const answer = ask(session, {}, Buffer.alloc(50_000, 1));
    session.settings({ initialWindowSize: 100_000 });
    assert.equal((await answer).body.length, 50_000);
  });
});
