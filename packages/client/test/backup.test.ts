import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";

import { Code } from "@connectrpc/connect";
import { Retry } from "@dkv/protocol/dkv/v1/dkv";

import { client, deadEndpoint, fails, member, silence } from "./fixture.ts";
import { refusal } from "./scripted-member.ts";

async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all).toString();
}

async function* some(): AsyncGenerator<Uint8Array> {
  for (const text of ["one", "two", "three"]) yield await Promise.resolve(Buffer.from(text));
}

test("a backup comes piece by piece, from the first endpoint that answers", async (t) => {
  const alive = await member(t);
  alive.backup = some;
  const asks = client(t, { endpoints: [await deadEndpoint(), alive.endpoint] });
  assert.equal(await bytesOf(await asks.backup()), "onetwothree");
  assert.equal(await bytesOf(await asks.backup({ serializable: true })), "onetwothree");
  assert.deepEqual(
    alive.calls.map(({ key }) => key),
    ["", "serializable"],
  );
});

test("a member that refuses is asked again, or another one, as long as nothing has come", async (t) => {
  let refused = 0;
  const busy = await member(t, {
    script: () => {
      refused += 1;
      if (refused < 3) throw refusal("overloaded", Retry.NOT_APPLIED, Code.ResourceExhausted);
    },
  });
  busy.backup = some;
  const asks = client(t, { endpoints: [busy.endpoint] });
  assert.equal(await bytesOf(await asks.backup()), "onetwothree");
});

test("a backup that breaks off fails, and is not begun anew", async (t) => {
  const breaks = await member(t);
  const come = Promise.withResolvers<void>();
  breaks.backup = async function* () {
    yield Buffer.from("one");
    await come.promise;
    breaks.cut();
  };
  const asks = client(t, { endpoints: [breaks.endpoint] });
  const pieces = await asks.backup();
  come.resolve();
  await fails(bytesOf(pieces), { code: "connection_lost", retry: "outcomeUnknown" });
  assert.equal(breaks.calls.length, 1);
});

test("time is up when nothing comes for so long, at first or in between", async (t) => {
  const silent = await member(t, { script: silence });
  const asks = client(t, { endpoints: [silent.endpoint], timeoutMs: 300 });
  await fails(asks.backup(), { code: "deadline_exceeded", retry: "notApplied" });

  const stalls = await member(t);
  stalls.backup = async function* (signal) {
    yield* some();
    if (!signal.aborted) await once(signal, "abort");
  };
  const asksOther = client(t, { endpoints: [stalls.endpoint], timeoutMs: 300 });
  const pieces = await asksOther.backup();
  await fails(bytesOf(pieces), {
    code: "deadline_exceeded",
    retry: "notApplied",
    message: /nothing more came/,
  });
});

test("a backup may take longer than the timeout, as long as something comes", async (t) => {
  const slow = await member(t);
  slow.backup = async function* () {
    for (let count = 0; count < 8; count += 1) {
      await new Promise((resolve) => setTimeout(resolve, 160));
      yield Buffer.from("x");
    }
  };
  const asks = client(t, { endpoints: [slow.endpoint], timeoutMs: 1000 });
  assert.equal(await bytesOf(await asks.backup()), "xxxxxxxx");
});

test("the member hears of it when nobody reads on", async (t) => {
  const endless = await member(t);
  const heard = Promise.withResolvers<void>();
  endless.backup = async function* (signal) {
    signal.addEventListener("abort", () => {
      heard.resolve();
    });
    while (!signal.aborted) yield await Promise.resolve(Buffer.alloc(1000));
  };
  const asks = client(t, { endpoints: [endless.endpoint] });
  for await (const piece of await asks.backup()) if (piece.length > 0) break;
  await heard.promise;
});

test("the member hears of it when nobody has read anything at all", async (t) => {
  const stalls = await member(t);
  const heard = Promise.withResolvers<void>();
  stalls.backup = async function* (signal) {
    yield Buffer.from("one");
    if (!signal.aborted) await once(signal, "abort");
    heard.resolve();
  };
  const asks = client(t, { endpoints: [stalls.endpoint] });
  const pieces = await asks.backup();
  assert.deepEqual(await pieces.return(undefined), { done: true, value: undefined });
  await heard.promise;
});

test("closing the client, or the caller's signal, ends it", async (t) => {
  const stalls = await member(t);
  stalls.backup = async function* (signal) {
    yield* some();
    if (!signal.aborted) await once(signal, "abort");
  };
  const abort = new AbortController();
  const asks = client(t, { endpoints: [stalls.endpoint] });
  const first = await asks.backup({ signal: abort.signal });
  const second = await asks.backup();
  const reading = bytesOf(first);
  abort.abort();
  await fails(reading, { code: "canceled", retry: "notApplied" });
  const other = bytesOf(second);
  asks.close();
  await fails(other, { code: "closed", retry: "notApplied" });
});
