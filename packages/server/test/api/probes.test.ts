import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pino } from "pino";
import { createClientApi } from "../../src/api/client-api.ts";
import { probesOf } from "../../src/api/probes.ts";
import { createClientListener } from "../../src/listener/client-listener.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { MemberInMemory } from "./member-in-memory.ts";

describe("a port for probes", () => {
  it("answers what they ask for as the client port does, and nothing else", async (t) => {
    const member = new MemberInMemory();
    const deps = { clock: systemClock, logger: pino({ level: "silent" }) };
    const api = createClientApi(member, { maxRequestBytes: 1000, version: "1.2.3" }, deps);
    const address = { host: "127.0.0.1", port: 0 };
    const listener = createClientListener(
      { address, tls: undefined, callers: "probes" },
      { ...deps, handlers: probesOf(api) },
    );
    await listener.start();
    t.after(() => listener.close(0));
    const ask = (path: string, init?: RequestInit) =>
      fetch(`http://127.0.0.1:${String(listener.port)}${path}`, init);
    for (const [path, words] of [
      ["/health", /"health":"true"/],
      ["/readyz?verbose", /leader ok/],
      ["/version", /1\.2\.3/],
    ] as const) {
      const response = await ask(path);
      assert.equal(response.status, 200);
      assert.match(await response.text(), words);
    }
    member.leader = "";
    assert.equal((await ask("/health")).status, 503);
    const body = { method: "POST", headers: { "content-type": "application/json" }, body: '{"key":"k"}' };
    const call = await ask("/dkv.v1.DkvAPI/Set", body);
    assert.equal(call.status, 404);
    assert.match(await call.text(), /there are \/health/);
  });
});
