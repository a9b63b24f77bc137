import assert from "node:assert/strict";
import { once } from "node:events";
import { constants, createServer as createHttp2 } from "node:http2";
import { createServer, type Socket } from "node:net";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";

import { Retry } from "@dkv/protocol/dkv/v1/dkv";

import { client, deadEndpoint, fails, member, silence } from "./fixture.ts";
import { type Call, refusal } from "./scripted-member.ts";

test("a write that is surely not applied is repeated until it succeeds", async (t) => {
  let refusals = 3;
  const only = await member(t, {
    script: ({ method }) => {
      if (method !== "set" || refusals === 0) return;
      refusals -= 1;
      throw refusal("no_leader", Retry.NOT_APPLIED);
    },
  });
  await client(t, { endpoints: [only.endpoint] }).set("k", "v");
  assert.equal(only.methods.filter((method) => method === "set").length, 4);
});

test("a write whose outcome is unknown is never repeated, on no endpoint", async (t) => {
  const script = ({ method }: Call): void => {
    if (method === "set") throw refusal("outcome_unknown", Retry.OUTCOME_UNKNOWN);
  };
  const [one, two] = [await member(t, { script }), await member(t, { script })];
  await fails(client(t, { endpoints: [one.endpoint, two.endpoint] }).set("k", "v"), {
    code: "outcome_unknown",
    retry: "outcomeUnknown",
  });
  assert.equal([...one.methods, ...two.methods].filter((method) => method === "set").length, 1);
});

test("a write whose connection breaks before the answer has an unknown outcome and is not repeated", async (t) => {
  const other = await member(t);
  const broken = await member(t);
  broken.script = async (call) => {
    if (call.method !== "set") return;
    broken.cut();
    await silence(call);
  };
  const dkv = client(t, { endpoints: [broken.endpoint, other.endpoint] });
  await fails(dkv.set("k", "v"), {
    code: "connection_lost",
    retry: "outcomeUnknown",
    message: /broke before it answered/,
  });
  assert.deepEqual(other.calls, []);
});

test("a read is repeated elsewhere when its connection breaks", async (t) => {
  const [broken, healthy] = [await member(t), await member(t)];
  healthy.values.set("k", new Uint8Array([1]));
  broken.script = async (call) => {
    broken.cut();
    await silence(call);
  };
  const dkv = client(t, { endpoints: [broken.endpoint, healthy.endpoint] });
  assert.deepEqual([...((await dkv.get("k"))?.value ?? [])], [1]);
});

test("a member that refuses a stream has not looked at it: the write goes elsewhere", async (t) => {
  const stopping = createHttp2();
  stopping.on("stream", (stream) => {
    stream.on("error", () => {});
    stream.close(constants.NGHTTP2_REFUSED_STREAM);
  });
  stopping.listen(0, "127.0.0.1");
  await once(stopping, "listening");
  t.after(() => stopping.close());
  const address = stopping.address();
  assert.ok(typeof address === "object" && address !== null);
  const healthy = await member(t);
  await client(t, { endpoints: [`localhost:${address.port}`, healthy.endpoint] }).set("k", "v");
  assert.equal(healthy.values.size, 1);
});

test("an endpoint that is down is passed over, for reads and writes", async (t) => {
  const healthy = await member(t);
  const dkv = client(t, { endpoints: [await deadEndpoint(), healthy.endpoint] });
  await dkv.set("k", "v");
  assert.equal(Buffer.from((await dkv.get("k"))?.value ?? []).toString(), "v");
});

test("a connection that broke while idle is made anew", async (t) => {
  const only = await member(t);
  const dkv = client(t, { endpoints: [only.endpoint] });
  await dkv.set("k", "1");
  only.cut();
  await setImmediate();
  await dkv.set("k", "2");
  assert.equal(Buffer.from(only.values.get("k") ?? []).toString(), "2");
});

test("a member that accepts connections and says nothing leaves time for the next", async (t) => {
  const sockets: Socket[] = [];
  const mute = createServer((socket) => sockets.push(socket));
  mute.listen(0, "127.0.0.1");
  await once(mute, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    mute.close();
  });
  const address = mute.address();
  assert.ok(typeof address === "object" && address !== null);
  const healthy = await member(t);
  await client(t, { endpoints: [`127.0.0.1:${address.port}`, healthy.endpoint], timeoutMs: 600 }).set(
    "k",
    "v",
  );
  assert.equal(healthy.values.size, 1);
  const alone = client(t, { endpoints: [`127.0.0.1:${address.port}`], timeoutMs: 200 });
  await fails(alone.set("k", "v"), {
    code: "no_answer",
    retry: "notApplied",
    message: /no answer within 200ms/,
  });
});

test("nobody anywhere is said in one line, soon", async (t) => {
  const [one, two] = [await deadEndpoint(), await deadEndpoint()];
  const dkv = client(t, { endpoints: [one, two], timeoutMs: 30_000 });
  const { message } = await fails(dkv.set("k", "v"), { code: "connection_refused", retry: "notApplied" });
  assert.equal(message, `no member answers at ${one}, ${two}: connection refused; is dkv running there?`);
});

test("different reasons at different endpoints are listed", async (t) => {
  const dead = await deadEndpoint();
  const dkv = client(t, { endpoints: [dead, "nobody.invalid:1"] });
  await fails(dkv.get("k"), {
    code: "unreachable",
    retry: "notApplied",
    message: /connection refused; nobody\.invalid:1: /u,
  });
});

test("a write that gets no answer in time says that its outcome is unknown", async (t) => {
  const only = await member(t, {
    script: ({ method }) => (method === "set" ? new Promise(() => {}) : undefined),
  });
  const dkv = client(t, { endpoints: [only.endpoint], timeoutMs: 300 });
  await fails(dkv.set("k", "v"), {
    code: "deadline_exceeded",
    retry: "outcomeUnknown",
    message: /did not answer set within \d+ms; it may or may not/,
  });
});

test("a refusal that lasts until the timeout is what the caller hears", async (t) => {
  const script = ({ method }: Call): void => {
    if (method === "set") throw refusal("no_leader", Retry.NOT_APPLIED);
  };
  const { endpoint } = await member(t, { script });
  const dkv = client(t, { endpoints: [endpoint], timeoutMs: 300 });
  await fails(dkv.set("k", "v"), {
    code: "no_leader",
    retry: "notApplied",
    message: /^refused: no_leader \(tried for \d+ms\)$/,
  });
});

test("a write whose time is over before it can be sent is not sent", async (t) => {
  const timeoutMs = 100;
  const only = await member(t, {
    // The member lives in this process: while it is busy, so is the client, as on a machine that has no time
    // for it.
    script: () => {
      const end = performance.now() + 2 * timeoutMs;
      while (performance.now() < end);
    },
  });
  await fails(client(t, { endpoints: [only.endpoint], timeoutMs }).set("k", "v"), {
    code: "no_answer",
    retry: "notApplied",
  });
  assert.deepEqual(only.methods, ["getServers"]);
});
