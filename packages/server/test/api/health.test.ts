import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import {
  Health,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "@dkv/protocol/grpc/health/v1/health";
import { openClientPort } from "./client-port.ts";
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
    assert.deepEqual(await get("/readyz?verbose"), [200, text, "[+]process ok\n[+]leader ok\nok\n"]);
    member.leader = "";
    assert.deepEqual(await get("/health"), [
      503,
      "application/json",
      '{"health":"false","reason":"no leader is known"}\n',
    ]);
    assert.deepEqual(await get("/readyz"), [
      503,
      text,
      "[+]process ok\n[-]leader failed: no leader is known\nnot ok\n",
    ]);
    assert.deepEqual(await get("/livez"), [200, text, "ok\n"]);
    assert.deepEqual(await get("/version"), [200, "application/json", '{"dkv":"1.2.3"}\n']);
  });

  it("answer GET and HEAD, and nothing at other paths", async (t) => {
    const { url } = await openClientPort(t);
    const head = await fetch(`${url}/health`, { method: "HEAD" });
    assert.deepEqual([head.status, head.headers.get("content-length"), await head.text()], [200, "30", ""]);
    assert.equal((await fetch(`${url}/health`, { method: "POST", body: "x" })).status, 405);
    const missing = await fetch(`${url}/nowhere`);
    assert.deepEqual([missing.status, await missing.text()], [404, "nothing is served at this path\n"]);
  });
});
