import assert from "node:assert/strict";
import { once } from "node:events";
import {
  createSecureServer,
  createServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { test, type TestContext } from "node:test";

import { createAuthority, issueCertificate } from "@dkv/certificates";

import { Connection } from "../src/connection.ts";

test("an answer that came as a whole before anybody read it is read all the same", async (t) => {
  const authority = await createAuthority();
  const hosts = ["localhost"];
  const issued = await issueCertificate(authority, { commonName: "server", hosts, usages: ["serverAuth"] });
  const server = createSecureServer({ cert: issued.certificate, key: issued.key });
  server.on("stream", (stream) => {
    stream.respond({ ":status": 200 });
    stream.end("the answer");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const connection = new Connection({ host: "localhost", port: address.port }, { ca: authority.certificate });
  t.after(() => {
    connection.close();
    server.close();
  });

  await connection.open(AbortSignal.timeout(5_000));
  const first = await connection.request("POST", "/first", {});
  first.end();
  await once(first, "response");
  const second = await connection.request("POST", "/second", {});
  second.end();
  for (const stream of [second, first]) {
    const pieces: Buffer[] = [];
    for await (const piece of stream as AsyncIterable<Buffer>) pieces.push(piece);
    assert.equal(Buffer.concat(pieces).toString(), "the answer");
  }
});

/** A connection to a server that answers what is asked of /answer, and nothing else. */
async function toMuteServer(t: TestContext) {
  const server = createServer();
  const sessions: ServerHttp2Session[] = [];
  server.on("session", (session) => sessions.push(session));
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    stream.on("error", () => undefined);
    if (headers[":path"] === "/answer") stream.respond({ ":status": 204 }, { endStream: true });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const connection = new Connection({ host: "127.0.0.1", port: address.port }, undefined);
  t.after(() => {
    connection.close();
    server.close();
  });
  const ask = async (path: string) => {
    await connection.open(AbortSignal.timeout(5_000));
    const stream = await connection.request("POST", path, {});
    stream.on("error", () => undefined);
    stream.end();
    return stream;
  };
  return { connection, sessions, ask };
}

test("a connection that is given up is gone once its last request is, and others use a new one", async (t) => {
  const { connection, sessions, ask } = await toMuteServer(t);
  const stalled = await ask("/mute");
  await once(await ask("/answer"), "response");
  connection.retire();
  await once(await ask("/answer"), "response");
  const [old, fresh] = sessions;
  assert.ok(old !== undefined && fresh !== undefined && sessions.length === 2);
  assert.ok(!old.destroyed);
  stalled.close();
  await once(old, "close");
  assert.ok(!fresh.destroyed);
});

test("a connection that is given up while nothing is asked is gone at once", async (t) => {
  const { connection, sessions, ask } = await toMuteServer(t);
  await once(await ask("/answer"), "close");
  const [session] = sessions;
  assert.ok(session !== undefined);
  const gone = once(session, "close");
  connection.retire();
  await gone;
});

test("closing ends what was given up, too, whatever is still asked there", async (t) => {
  const { connection, sessions, ask } = await toMuteServer(t);
  const stalled = await ask("/mute");
  await once(await ask("/answer"), "response");
  connection.retire();
  const [session] = sessions;
  assert.ok(session !== undefined);
  const gone = Promise.all([once(session, "close"), once(stalled, "close")]);
  connection.close();
  await gone;
});

test("closing ends what the server told to take no more requests, too", async (t) => {
  const { connection, sessions, ask } = await toMuteServer(t);
  const stalled = await ask("/mute");
  await once(await ask("/answer"), "response");
  const [old] = sessions;
  assert.ok(old !== undefined);
  const told = once(stalled.session ?? assert.fail(), "goaway");
  old.goaway();
  await told;
  await once(await ask("/answer"), "response");
  assert.equal(sessions.length, 2);
  const gone = once(old, "close");
  connection.close();
  await gone;
});
