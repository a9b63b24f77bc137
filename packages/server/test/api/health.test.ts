import assert from "node:assert/strict";
import { once } from "node:events";
import { constants, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http2";
import { describe, it } from "node:test";
import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import {
  Health,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "@dkv/protocol/grpc/health/v1/health";
import { openClientPort } from "./client-port.ts";
import { connectHttp2, frame } from "./raw-http2.ts";
import { failureOf } from "./refusal.ts";

describe("grpc.health.v1", () => {
  it("says that the member serves while it knows a leader", async (t) => {
    const { url, member } = await openClientPort(t);
    const health = createClient(Health, createGrpcTransport({ baseUrl: url }));
    for (const service of ["", "dkv.v1.DkvAPI", "dkv.v1.MembershipAPI"]) {
      member.leader = "one";
      assert.equal((await health.check({ service })).status, ServingStatus.SERVING);
      member.leader = "";
      assert.equal((await health.check({ service })).status, ServingStatus.NOT_SERVING);
    }
    const error = await failureOf(health.check({ service: "dkv.v2.DkvAPI" }));
    assert.equal(error.code, Code.NotFound);
  });

  it("tells a watcher of each change, and of the end", async (t) => {
    const { url, member, close } = await openClientPort(t);
    const health = createClient(Health, createGrpcTransport({ baseUrl: url }));
    const seen: ServingStatus[] = [];
    const watching = (async () => {
      for await (const { status } of health.watch({ service: "" })) {
        seen.push(status);
        if (seen.length === 1) member.leader = "";
        if (seen.length === 2) member.leader = "one";
        if (seen.length === 3) void close(5000);
      }
    })();
    const end = await failureOf(watching);
    assert.deepEqual(seen, [
      ServingStatus.SERVING,
      ServingStatus.NOT_SERVING,
      ServingStatus.SERVING,
      ServingStatus.NOT_SERVING,
    ]);
    assert.equal(end.code, Code.Unavailable);
  });

  it("keeps watching for a service that does not exist", async (t) => {
    const { url } = await openClientPort(t);
    const health = createClient(Health, createGrpcTransport({ baseUrl: url }));
    const abort = new AbortController();
    const seen: ServingStatus[] = [];
    const watching = (async () => {
      for await (const { status } of health.watch({ service: "x" }, { signal: abort.signal })) {
        seen.push(status);
        abort.abort();
      }
    })();
    const end = await failureOf(watching);
    assert.deepEqual(seen, [ServingStatus.SERVICE_UNKNOWN]);
    assert.equal(end.code, Code.Canceled);
  });
});

describe("Health/Watch", () => {
  const forEver: readonly { type: string; deadline: OutgoingHttpHeaders }[] = [
    { type: "application/grpc", deadline: { "grpc-timeout": "99999999H" } },
    { type: "application/connect+proto", deadline: { "connect-timeout-ms": "9999999999" } },
  ];
  for (const { type, deadline } of forEver) {
    it(`stays open as ${type} with a deadline that no timer can wait for`, async (t) => {
      const { url, member } = await openClientPort(t);
      const session = await connectHttp2(url);
      t.after(() => {
        session.destroy();
      });
      const path = "/grpc.health.v1.Health/Watch";
      const stream = session.request({ ":method": "POST", ":path": path, "content-type": type, ...deadline });
      stream.end(frame(Buffer.alloc(0)));
      const [first] = (await once(stream, "data")) as [Buffer];
      assert.deepEqual(first, frame(Buffer.from([8, ServingStatus.SERVING])));
      member.leader = "";
      const [second] = (await once(stream, "data")) as [Buffer];
      assert.deepEqual(second, frame(Buffer.from([8, ServingStatus.NOT_SERVING])));
    });
  }
});

describe("the HTTP resources", () => {
  it("tell probes how the member is", async (t) => {
    const { url, member } = await openClientPort(t);
    const get = async (path: string): Promise<[number, string | null, string]> => {
      const response = await fetch(url + path);
      return [response.status, response.headers.get("content-type"), await response.text()];
    };
    const text = "text/plain; charset=utf-8";
    assert.deepEqual(await get("/health"), [200, "application/json", '{"health":"true","reason":""}\n']);
    assert.deepEqual(await get("/readyz"), [200, text, "ok\n"]);
    assert.deepEqual(await get("/readyz?verbose"), [
      200,
      text,
      "[+]process ok\n[+]leader ok\n[+]state ok\nok\n",
    ]);
    member.leader = "";
    assert.deepEqual(await get("/health"), [
      503,
      "application/json",
      '{"health":"false","reason":"no leader is known"}\n',
    ]);
    assert.deepEqual(await get("/readyz"), [
      503,
      text,
      "[+]process ok\n[-]leader failed: no leader is known\n[+]state ok\nnot ok\n",
    ]);
    member.leader = "one";
    member.isCorrupt = true;
    assert.deepEqual(await get("/readyz"), [
      503,
      text,
      "[+]process ok\n[+]leader ok\n[-]state failed: the state of the member differs from that of the others\nnot ok\n",
    ]);
    assert.deepEqual(await get("/livez"), [200, text, "ok\n"]);
    const versions = '{"etcdserver":"3.7.0","etcdcluster":"3.7.0","storage":"3.7.0","dkv":"1.2.3"}\n';
    assert.deepEqual(await get("/version"), [200, "application/json", versions]);
  });

  it("tell clients of etcd why the member is not well, except for what does not matter to them", async (t) => {
    const { url, member } = await openClientPort(t);
    const healthOf = async (query: string): Promise<[number, unknown]> => {
      const response = await fetch(`${url}/health${query}`);
      return [response.status, ((await response.json()) as { reason: unknown }).reason];
    };
    await member.setNoSpace(5n, true);
    assert.deepEqual(await healthOf(""), [503, "ALARM NOSPACE"]);
    assert.deepEqual(await healthOf("?serializable=true"), [503, "ALARM NOSPACE"]);
    assert.deepEqual(await healthOf("?exclude=CORRUPT&exclude=NOSPACE"), [200, ""]);
    await member.setNoSpace(5n, false);
    member.leader = "";
    assert.deepEqual(await healthOf(""), [503, "no leader is known"]);
    assert.deepEqual(await healthOf("?serializable=true"), [200, ""]);
    member.leader = "one";
    member.hasQuorum = false;
    assert.deepEqual(await healthOf(""), [503, "RANGE ERROR:there is no quorum"]);
    assert.deepEqual(await healthOf("?serializable=true"), [200, ""]);
    member.hasQuorum = true;
    member.isCorrupt = true;
    const differs = "the state of the member differs from that of the others";
    assert.deepEqual(await healthOf("?serializable=true"), [503, differs]);
    assert.deepEqual(await healthOf("?exclude=CORRUPT"), [200, ""]);
    assert.deepEqual(member.timeouts.at(-1), 1000, "a quorum is waited for, and not for long");
    member.isCorrupt = false;
  });

  it("answer HEAD over HTTP/2 with a header alone", async (t) => {
    const { url } = await openClientPort(t);
    const session = await connectHttp2(url);
    t.after(() => {
      session.destroy();
    });
    for (const [path, status] of [
      ["/nothing", 404],
      ["/readyz", 200],
    ] as const) {
      const stream = session.request({ ":method": "HEAD", ":path": path });
      const [headers, flags] = (await once(stream, "response")) as [IncomingHttpHeaders, number];
      assert.equal(headers[":status"], status);
      assert.ok(Number(headers["content-length"]) > 0);
      assert.ok((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0, "the header is all of the answer");
      stream.close();
      await once(stream, "close");
      assert.equal(stream.rstCode, 0);
    }
  });

  it("answer GET and HEAD, and nothing at other paths", async (t) => {
    const { url } = await openClientPort(t);
    const head = await fetch(`${url}/health`, { method: "HEAD" });
    assert.deepEqual([head.status, head.headers.get("content-length"), await head.text()], [200, "30", ""]);
    const wrong = await fetch(`${url}/health`, { method: "POST", body: "x" });
    assert.deepEqual([wrong.status, wrong.headers.get("allow")], [405, "GET, HEAD"]);
    const missing = await fetch(`${url}/nowhere`);
    assert.deepEqual([missing.status, await missing.text()], [404, "nothing is served at this path\n"]);
  });
});
