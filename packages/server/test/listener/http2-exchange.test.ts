import assert from "node:assert/strict";
import { once } from "node:events";
import http2, { type ClientHttp2Session } from "node:http2";
import net from "node:net";
import { describe, it, type TestContext } from "node:test";
import { pino } from "pino";
import { createHttp2Server } from "../../src/listener/http-servers.ts";
import { defaultLimits } from "../../src/listener/limits.ts";
import type { HttpRequest, HttpResponse, RequestHandlers } from "../../src/listener/request-handlers.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { rawCall } from "../api/raw-http2.ts";

interface OpenOptions extends http2.Settings {
  readonly onStream?: RequestHandlers["onStream"];
  readonly log?: (line: string) => void;
}

async function open(
  t: TestContext,
  onRequest: (request: HttpRequest) => Promise<HttpResponse>,
  { onStream = () => undefined, log = () => undefined, ...settings }: OpenOptions = {},
): Promise<ClientHttp2Session> {
  const { serve } = createHttp2Server(defaultLimits, {
    clock: systemClock,
    logger: pino({ level: "error" }, { write: log }),
    handlers: { onStream, onRequest, onClosing: () => undefined },
  });
  const server = net.createServer(serve).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const session = http2.connect(`http://127.0.0.1:${String(address.port)}`, { settings });
  t.after(() => {
    session.destroy();
    server.close();
  });
  await once(session, "connect");
  return session;
}

async function* chunks(count: number, bytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < count; at += 1) yield Buffer.alloc(bytes, at);
}

describe("a request of HTTP/2 that is not hot", () => {
  it("has a method, a target, headers and a body", async (t) => {
    const session = await open(t, async ({ method, target, authority, header, body }) => {
      const parts: Uint8Array[] = [];
      for await (const part of body) parts.push(part);
      const said = JSON.stringify([
        method,
        target,
        authority,
        header.get("x-a"),
        Buffer.concat(parts).length,
      ]);
      return { status: 201, header: new Headers({ "x-said": said }) };
    });
    const { headers } = await rawCall(session, { ":method": "PUT", ":path": "/p?q=1", "x-a": "b" }, [
      Buffer.alloc(200_000),
      Buffer.alloc(1_500_000),
    ]);
    assert.equal(headers[":status"], 201);
    const [method, target, authority, ...rest] = JSON.parse(String(headers["x-said"]));
    assert.deepEqual([method, target, rest], ["PUT", "/p?q=1", ["b", 1_700_000]]);
    assert.match(authority, /^127\.0\.0\.1:\d+$/);
  });

  it("is answered in parts, as fast as the client takes them, and with trailers", async (t) => {
    const body = chunks(50, 30_000);
    const response = { status: 200, header: new Headers(), body, trailer: new Headers({ end: "yes" }) };
    const session = await open(t, () => Promise.resolve(response), { initialWindowSize: 10_000 });
    const answer = await rawCall(session, { ":path": "/" }, []);
    assert.equal(answer.body.length, 1_500_000);
    assert.equal(answer.body.at(-1), 49);
    assert.equal(answer.trailers["end"], "yes");
  });

  it("has its signal aborted and its body fail when the client gives up", async (t) => {
    const ended = Promise.withResolvers<{ readonly aborted: boolean; readonly error: unknown }>();
    const session = await open(t, async ({ body, signal }) => {
      try {
        for await (const _ of body) stream.close(8);
        throw new Error("the body came to an end");
      } catch (error) {
        ended.resolve({ aborted: signal.aborted, error });
        throw error;
      }
    });
    const stream = session.request({ ":method": "POST", ":path": "/" });
    stream.on("error", () => undefined);
    stream.write("x");
    const { aborted, error } = await ended.promise;
    assert.equal(aborted, true);
    assert.match(String(error), /client went/);
  });

  it("has whoever makes its answer stop when the client gives up", async (t) => {
    const stopped = Promise.withResolvers<void>();
    const session = await open(t, ({ signal }) => {
      const endless = async function* (): AsyncGenerator<Uint8Array> {
        try {
          for (;;) yield Buffer.alloc(100_000);
        } finally {
          assert.equal(signal.aborted, true);
          stopped.resolve();
        }
      };
      return Promise.resolve({ status: 200, body: endless() });
    });
    const stream = session.request({ ":path": "/" });
    stream.on("error", () => undefined);
    stream.once("data", () => {
      stream.close(8);
    });
    await stopped.promise;
  });

  it("is not read on, and fails, once it is answered", async (t) => {
    const failed = Promise.withResolvers<unknown>();
    const session = await open(t, ({ body }) => {
      const readAll = async (): Promise<void> => {
        for await (const _ of body);
      };
      readAll().catch(failed.resolve);
      return Promise.resolve({ status: 200 });
    });
    const stream = session.request({ ":method": "POST", ":path": "/" });
    stream.write("x");
    assert.match(String(await failed.promise), /answered before it was complete/);
  });

  it("holds back a client whose bytes the reader still has", async (t) => {
    let received = 0;
    const stuck = Promise.withResolvers<void>();
    const session = await open(t, async ({ body }) => {
      for await (const part of body) {
        received += part.length;
        await stuck.promise;
      }
      return { status: 200, header: new Headers({ received: String(received) }) };
    });
    const call = rawCall(session, { ":path": "/" }, [Buffer.alloc(3_000_000)]);
    while (session.state.outboundQueueSize !== 0 || received === 0) await new Promise(setImmediate);
    assert.ok(received <= 1_048_576, String(received));
    stuck.resolve();
    assert.equal((await call).headers["received"], "3000000");
  });

  it("is a matter for the log when it cannot even be cut off", async (t) => {
    const logged = Promise.withResolvers<string>();
    const session = await open(t, () => Promise.reject(new Error("no answer")), {
      onStream(stream) {
        stream.cancel = () => {
          throw new Error("not to be ended");
        };
        return undefined;
      },
      log: logged.resolve,
    });
    session.request({ ":path": "/" }).on("error", () => undefined);
    assert.match(await logged.promise, /not to be ended/);
  });

  it("is cut off when its answer fails", async (t) => {
    const session = await open(t, () => Promise.reject(new Error("no answer")));
    const stream = session.request({ ":path": "/" });
    stream.on("error", () => undefined);
    await once(stream, "close");
    assert.equal(stream.rstCode, 8);
  });
});
