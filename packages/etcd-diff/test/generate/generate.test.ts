import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { families, generate } from "../../src/generate/generate.ts";
import { fromPlain } from "../../src/message/plain.ts";
import { methodOf } from "../../src/play/wire.ts";
import { WatchCancelRequestSchema, WatchCreateRequestSchema } from "@dkv/protocol/etcdserverpb/rpc";
import { decodeSteps, encodeSteps, type Step } from "../../src/step.ts";

const steps = [...generate({ seed: 7, count: 40_000, families })];

/** What the request of a step is made as. */
function schemaOf({ call }: Step) {
  if (call === "Watch/create") return WatchCreateRequestSchema;
  return call.startsWith("Watch/") ? WatchCancelRequestSchema : methodOf(call).input;
}

describe("a stream of steps", () => {
  it("is the same for the same seed, and another one for another", () => {
    assert.deepEqual([...generate({ seed: 7, count: 40_000, families })], steps);
    assert.notDeepEqual([...generate({ seed: 8, count: 100, families })], steps.slice(0, 100));
  });

  it("only becomes longer when more are wanted", () => {
    const fewer = [...generate({ seed: 7, count: 500, families })];
    assert.deepEqual(steps.slice(0, fewer.length), fewer);
  });

  it("is made of requests that can be sent", () => {
    for (const step of steps) fromPlain(schemaOf(step), step.request, () => 1n);
  });

  it("comes back from a file as it was", () => {
    assert.deepEqual(decodeSteps(`# seed 7\n\n${encodeSteps(steps)}`), steps);
  });

  it("asks every method that etcd 3.4 has, but for those that are left out on purpose", () => {
    const left = [
      "KV/RangeStream",
      "Watch/Watch",
      "Maintenance/Hash",
      "Maintenance/Snapshot",
      "Maintenance/Downgrade",
      "Auth/AuthStatus",
    ];
    const asked = new Set(steps.map(({ call }) => call));
    const all = methodOf("KV/Put").parent.file.services.flatMap(({ name, methods }) =>
      methods.map((method) => `${name}/${method.name}`),
    );
    assert.deepEqual(
      all.filter((method) => !asked.has(method)),
      left,
    );
  });

  it("leaves out the families that are not wanted", () => {
    const calls = [...generate({ seed: 7, count: 2000, families: ["kv", "lease"] })].map(({ call }) => call);
    assert.deepEqual(
      calls.filter((call) => !/^(?:KV\/(?:Put|Range|DeleteRange)|Lease\/)/.test(call)),
      [],
    );
  });
});
