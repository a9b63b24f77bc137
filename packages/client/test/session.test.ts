import assert from "node:assert/strict";
import { once } from "node:events";
import {
  connect,
  constants,
  createServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { connect as connectTcp, createServer as createTcpServer, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";

import { Session } from "../src/session.ts";

const beatMs = 50;

/** A proxy in front of a server that answers /answer only, which forgets to pass on bytes when it is told. */
async function behindProxy(t: TestContext) {
  const server = createServer();
  const sessions: ServerHttp2Session[] = [];
  server.on("session", (session) => sessions.push(session));
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    stream.on("error", () => undefined);
    if (headers[":path"] === "/answer") stream.respond({ ":status": 204 }, { endStream: true });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const sockets: Socket[] = [];
  const proxy = createTcpServer((near) => {
    const far = connectTcp(portOf(server), "127.0.0.1");
    sockets.push(near, far);
    for (const socket of [near, far]) socket.on("error", () => undefined);
    near.pipe(far).pipe(near);
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const socket = connectTcp(portOf(proxy), "127.0.0.1");
  const http2 = connect("http://127.0.0.1", { createConnection: () => socket });
  http2.on("error", () => undefined);
  await once(http2, "remoteSettings");
  const session = new Session(http2, socket, beatMs);
  t.after(() => {
    session.destroy();
    for (const one of sockets) one.destroy();
    proxy.close();
    server.close();
  });
  const ask = (path: string) => {
    const stream = session.request({ ":method": "POST", ":path": path });
    stream.on("error", () => undefined);
    stream.end();
    return stream;
  };
  const fallSilent = (): void => {
    for (const one of sockets) one.unpipe().pause();
  };
  return { session, http2, socket, sessions, ask, fallSilent };
}

function portOf(server: { address(): ReturnType<Socket["address"]> | string | null }): number {
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null && "port" in address);
  return address.port;
}

test("a session that is given up is gone once its last request is", async (t) => {
  const { session, sessions, ask } = await behindProxy(t);
  const stalled = ask("/mute");
  await once(ask("/answer"), "response");
  session.retire();
  assert.ok(!session.isUsable);
  const [far] = sessions;
  assert.ok(far !== undefined && !far.destroyed);
  stalled.close();
  await once(far, "close");
});

test("a session that is given up while nothing is asked is gone at once", async (t) => {
  const { session, http2, ask } = await behindProxy(t);
  await once(ask("/answer"), "close");
  session.retire();
  await once(http2, "close");
});

test("a session whose member falls silent ends, and what is asked there; an idle one does not mind", async (t) => {
  const [idle, busy] = [await behindProxy(t), await behindProxy(t)];
  for (const { ask, fallSilent } of [idle, busy]) {
    await once(ask("/answer"), "close");
    fallSilent();
  }
  const [error] = await once(busy.ask("/answer"), "error");
  assert.equal((error as NodeJS.ErrnoException).code, "ECONNRESET");
  assert.ok(busy.socket.destroyed);
  assert.ok(!idle.http2.destroyed);
});

test("a member that works on a request for long answers pings meanwhile, and is waited for", async (t) => {
  const { ask, http2, sessions } = await behindProxy(t);
  ask("/mute");
  const [far] = sessions;
  assert.ok(far !== undefined);
  for (let pings = 0; pings < 4; pings += 1) await once(far, "ping");
  assert.ok(!http2.destroyed);
});

// Where this fails, the process sends empty frames for ever.
test("a request that is taken back before it was sent does no harm to the others", async (t) => {
  const { session, ask } = await behindProxy(t);
  // Nothing is being sent or received any more.
  await nextTurn();
  const taken = session.request({ ":method": "POST", ":path": "/mute" });
  taken.on("error", () => undefined);
  taken.close(constants.NGHTTP2_INTERNAL_ERROR);
  await nextTurn();
  const [headers] = (await once(ask("/answer"), "response")) as [Record<string, unknown>];
  assert.equal(headers[":status"], 204);
});
