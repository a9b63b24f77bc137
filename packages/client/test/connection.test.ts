import assert from "node:assert/strict";
import { once } from "node:events";
import { createSecureServer } from "node:http2";
import { test } from "node:test";

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
