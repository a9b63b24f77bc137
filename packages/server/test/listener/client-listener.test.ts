import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import net, { type Socket } from "node:net";
import { describe, it } from "node:test";
import { systemClock } from "../../src/platform/clock.ts";
import { StartupError } from "../../src/platform/startup-error.ts";
import { createClientListener } from "../../src/listener/client-listener.ts";
import { openClientPort } from "../api/client-port.ts";
import { connectHttp2, frame, rawCall, statusOf } from "../api/raw-http2.ts";

const set = frame(Buffer.from([0x0a, 1, 0x6b]));
const setPath = "/dkv.v1.DkvAPI/Set";

describe("the client port", () => {
  it("knows the protocol however the first bytes come", async (t) => {
    const { port } = await openClientPort(t);
    const socket = await dial(port);
    for (const piece of ["P", "R", "I", " * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\0\0\0\x04\0\0\0\0\0"]) {
      socket.write(piece, "latin1");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const [settings] = (await once(socket, "data")) as [Buffer];
    assert.equal(settings.readUInt8(3), 4, "the answer is a SETTINGS frame");
    socket.destroy();
    const plain = await dial(port);
    for (const piece of ["P", "UT /health HTTP/1.1\r\nhost: x\r\n\r\n"]) {
      plain.write(piece);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const [answer] = (await once(plain, "data")) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1.1 405 /);
    plain.destroy();
  });

  it("answers a client that closes its side after the request", async (t) => {
    const { port } = await openClientPort(t);
    const socket = await dial(port);
    socket.end("GET /version HTTP/1.1\r\nhost: x\r\n\r\n");
    assert.match(await everything(socket), /^HTTP\/1.1 200 .*1\.2\.3/s);
  });

  const slow: readonly { what: string; first: string }[] = [
    { what: "says nothing", first: "" },
    { what: "says half of what HTTP/2 begins with", first: "PR" },
    { what: "says what HTTP/2 begins with and no more", first: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" },
    { what: "says half of its headers", first: "GET /health HTTP/1.1\r\nhost: x\r\nx-slow: " },
  ];
  for (const { what, first } of slow) {
    it(`closes the connection of a client that ${what}`, async (t) => {
      const { port } = await openClientPort(t, { limits: { openingTimeoutMs: 200 } });
      const socket = await dial(port);
      socket.write(first);
      const started = performance.now();
      await everything(socket);
      const waited = performance.now() - started;
      assert.ok(waited > 150 && waited < 3000, `${String(waited)} ms`);
    });
  }

  it("closes the connection of a client that sends its request too slowly", async (t) => {
    const { port } = await openClientPort(t, { limits: { openingTimeoutMs: 200, requestTimeoutMs: 400 } });
    const socket = await dial(port);
    socket.write(
      `POST ${setPath} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`,
    );
    const drip = setInterval(() => socket.write(" "), 50);
    await everything(socket);
    clearInterval(drip);
  });

  const garbage: readonly { what: string; bytes: Buffer }[] = [
    { what: "zeros", bytes: Buffer.alloc(1000) },
    { what: "a TLS greeting in clear", bytes: Buffer.from("160301020001000102030405060708", "hex") },
    {
      what: "HTTP/2 and then nonsense",
      bytes: Buffer.from(`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${"nonsense".repeat(100)}`),
    },
    {
      what: "a request without a host",
      bytes: Buffer.from(`POST ${setPath} HTTP/1.0\r\ncontent-type: application/json\r\n\r\n`),
    },
    {
      what: "a host that is none",
      bytes: Buffer.from(
        `POST ${setPath} HTTP/1.1\r\nhost: a b\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n`,
      ),
    },
    { what: "CONNECT", bytes: Buffer.from("CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n") },
    { what: "endless headers", bytes: Buffer.from(`GET / HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(100_000)}`) },
  ];
  for (const { what, bytes } of garbage) {
    it(`closes a connection with ${what}, and goes on`, async (t) => {
      const { port, url } = await openClientPort(t);
      const socket = await dial(port);
      socket.write(bytes);
      await everything(socket);
      assert.equal((await fetch(`${url}/health`)).status, 200);
    });
  }

  it("takes no more connections than its limit", async (t) => {
    const { port, log } = await openClientPort(t, { limits: { maxConnections: 2 } });
    const kept = [await dial(port), await dial(port)];
    await everything(await dial(port));
    assert.ok(log.some((line) => line.includes("too many connections")));
    for (const socket of kept) socket.destroy();
  });

  it("says at start that its address is taken", async (t) => {
    const { port } = await openClientPort(t);
    const other = createClientListener(
      { address: { host: "127.0.0.1", port }, tls: undefined },
      {
        clock: systemClock,
        logger: (await import("pino")).pino({ enabled: false }),
        handlers: {
          onStream: () => undefined,
          onRequest: () => Promise.resolve({ status: 404 }),
          onClosing: () => undefined,
        },
      },
    );
    await assert.rejects(other.start(), (error) => {
      assert.ok(error instanceof StartupError);
      assert.equal(error.kind, "environment");
      assert.match(error.message, new RegExp(`127.0.0.1:${String(port)}: the address is taken`));
      return true;
    });
  });
});

describe("closing the client port", () => {
  it("waits for answers that are under way, and ends idle and unknown connections", async (t) => {
    const { port, url, member, close } = await openClientPort(t);
    const silent = await dial(port);
    const session = await connectHttp2(url);
    const agent = new http.Agent({ keepAlive: true });
    assert.equal(await getHealth(port, agent), 200);
    member.hasQuorum = false;
    const call = rawCall(session, { ":path": setPath, "grpc-timeout": "200m" }, [set]);
    const post = fetch(`${url}${setPath}`, {
      method: "POST",
      headers: { "content-type": "application/json", "connect-timeout-ms": "200" },
      body: '{"key":"k"}',
    });
    while (member.proposals < 2) await new Promise(setImmediate);
    const goaway = once(session, "goaway");
    const started = performance.now();
    await close(10_000);
    const waited = performance.now() - started;
    await goaway;
    assert.equal(statusOf(await call), 4);
    assert.equal((await post).status, 504);
    assert.ok(waited > 100 && waited < 2000, `${String(waited)} ms`);
    await assert.rejects(dial(port), { code: "ECONNREFUSED" });
    silent.destroy();
    agent.destroy();
  });

  it("cuts off what is not finished after the grace", async (t) => {
    const { url, member, close } = await openClientPort(t);
    const session = await connectHttp2(url);
    session.on("error", () => undefined);
    member.hasQuorum = false;
    const stream = session.request({
      ":method": "POST",
      ":path": setPath,
      "content-type": "application/grpc",
      "grpc-timeout": "1S",
    });
    stream.on("error", () => undefined);
    stream.end(set);
    while (member.proposals < 1) await new Promise(setImmediate);
    const closed = once(stream, "close");
    const started = performance.now();
    await close(100);
    await closed;
    assert.ok(performance.now() - started < 800);
  });
});

async function dial(port: number): Promise<Socket> {
  const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  await once(socket, "connect");
  return socket;
}

/** All that the other side says until it closes. */
async function everything(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => undefined);
  await new Promise((resolve) => {
    socket.once("end", resolve);
    socket.once("close", resolve);
  });
  socket.destroy();
  return Buffer.concat(chunks).toString("latin1");
}

function getHealth(port: number, agent: http.Agent): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    http
      .get({ port, host: "127.0.0.1", path: "/health", agent }, (response) => {
        response.resume().on("end", () => {
          resolve(response.statusCode);
        });
      })
      .on("error", reject);
  });
}
