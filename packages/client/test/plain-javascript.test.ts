/** Mistakes that a compiler would have found are said at once, as what they are, by who writes plain JavaScript. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { DkvClient } from "../src/client.ts";
import { DkvClientError } from "../src/errors.ts";
import type { DkvClientOptions } from "../src/options.ts";
import { op } from "../src/txn.ts";
import { client, fails, member } from "./fixture.ts";

/** What no compiler has looked at. */
type Unchecked = Readonly<Record<string, (...words: readonly unknown[]) => Promise<unknown>>>;

test("what is of another type is refused before anything is sent", async (t) => {
  const only = await member(t);
  const dkv = client(t, { endpoints: [only.endpoint] });
  const pipe = dkv.pipe();
  const plain = {
    get: dkv.get.bind(dkv),
    set: dkv.set.bind(dkv),
    delete: dkv.delete.bind(dkv),
    txn: dkv.txn.bind(dkv),
    grant: dkv.grantLease.bind(dkv),
    ttl: dkv.getLease.bind(dkv),
    lock: dkv.lock.bind(dkv),
    members: dkv.members.bind(dkv),
    pipedSet: pipe.set.bind(pipe),
    list: async (...words: Parameters<typeof dkv.list>) => dkv.list(...words).next(),
    watch: async (...words: Parameters<typeof dkv.watch>) => dkv.watch(...words).open(),
  } as unknown as Unchecked;
  const raw = { kind: "set", key: "k", ttlSeconds: 0, lease: 0n, returnPrevious: false };
  const mistakes: readonly (readonly [method: string, words: readonly unknown[], message: RegExp])[] = [
    ["get", [undefined], /^the key is undefined: give text$/],
    ["set", ["k", undefined], /^the value is undefined: give text or a Uint8Array$/],
    ["set", ["k", 5], /^the value is 5: give text/],
    ["set", ["k", { a: 1 }], /^the value is an object of another kind: give text/],
    ["set", ["k", "v", { ttlSeconds: 0 }], /^the time to live is 0 seconds: give at least 1/],
    ["set", ["k", "v", { ttlSeconds: "30" }], /^the time to live in seconds is "30": give a whole number/],
    ["set", ["k", "v", { lease: 161 }], /^the lease is 161: give its ID as a bigint/],
    ["set", ["k", "v", { lease: 161n, ttlSeconds: 5 }], /^ttlSeconds and lease are both given/],
    ["set", ["k", "v", { timeoutMs: "500" }], /^a timeout of "500" ms is not between/],
    [
      "set",
      ["k", "v", { ifAbsnt: true }],
      /^there is no option "ifAbsnt" here: there are signal, .*ifAbsent, /,
    ],
    ["set", ["k", "v", null], /^the options are null: give an object$/],
    ["get", ["k", { rev: 5 }], /^there is no option "rev" here: there are signal, serializable, revision/],
    ["delete", ["k", { ifRevision: 5 }], /^there is no option "ifRevision" here/],
    ["members", [{ limit: 5 }], /^there is no option "limit" here: there are signal, /],
    ["pipedSet", ["k", "v", { timeoutMs: 5 }], /^there is no option "[a-z]+Ms" here: there are signal, /],
    ["txn", [{ compare: [] }], /^there is no option "compare" here: there are compares, success, failure$/],
    ["delete", [7], /^the key is 7: give text$/],
    ["txn", [{ success: [{ ...raw, value: "v" }] }], /^the value is "v"/],
    ["grant", [0], /^the time to live is 0 seconds/],
    ["ttl", ["a1"], /^the lease is "a1"/],
    ["lock", [undefined], /^the name is undefined: give text$/],
    ["list", [{ prefix: "app/" }, { keyOnly: true }], /^there is no option "keyOnly" here/],
    ["lock", ["l", { ttl: 5 }], /^there is no option "ttl" here: there are signal, ttlSeconds$/],
    ["list", ["app/"], /^the keys are "app\/": write \{ key: "a" \}, \{ prefix: "a\/" \}/],
    ["list", [{ prefx: "app/" }], /^the keys have a field "prefx": there are key, prefix/],
    ["list", [{ prefix: undefined }], /^the prefix is undefined/],
    ["watch", [{ key: "k" }, { startRev: 1 }], /^there is no option "startRev" here/],
    ["watch", ["app/"], /^the keys are "app\/"/],
  ];
  for (const [method, words, message] of mistakes) {
    const code = message.source.includes("timeout") ? "bad_configuration" : "invalid_request";
    const work = async (): Promise<unknown> => plain[method]?.(...words);
    await fails(work(), { code, retry: "never", message });
  }
  assert.deepEqual(only.calls, []);
});

test("so is what no client can be made of", () => {
  const endpoints = ["localhost:3000"];
  const mistakes: readonly (readonly [options: unknown, message: RegExp])[] = [
    [{ endpoints: "localhost:3000" }, /^the endpoints are "localhost:3000": give a list of them/],
    [{}, /^the endpoints are undefined: give a list/],
    [{ endpoints: [3000] }, /^an endpoint is 3000: write host:port/],
    [
      { endpoints, tls: { ca: "certs/ca.pem" } },
      /^tls\.ca is no PEM text: to name a file, write tls\.caFile$/,
    ],
    [{ endpoints, tls: { ca: 5 } }, /^tls\.ca is no PEM text/],
    [undefined, /^the options are undefined: give an object$/],
    [
      { endpoints, cacert: "ca.pem" },
      /^there is no option "cacert" here: there are endpoints, tls, user, timeoutMs$/,
    ],
    [{ endpoints, tls: { cafile: "ca.pem" } }, /^tls: there is no option "cafile" here: there are caFile, /],
    [
      { endpoints, user: { name: "a", pass: "b" } },
      /^user: there is no option "pass" here: there are name, /,
    ],
    [{ endpoints, timeoutMs: "5s" }, /^a timeout of "5s" ms/],
  ];
  for (const [options, message] of mistakes)
    assert.throws(
      () => new DkvClient(options as DkvClientOptions),
      (error) =>
        error instanceof DkvClientError && error.code === "bad_configuration" && message.test(error.message),
    );
});

test("so are the options of an operation of a transaction that are none", () => {
  const set = op.set as unknown as (...words: readonly unknown[]) => unknown;
  assert.throws(
    () => set("k", "v", { ifAbsent: true }),
    /^DkvClientError: there is no option "ifAbsent" here: there are ttlSeconds, lease, returnPrevious$/,
  );
});
