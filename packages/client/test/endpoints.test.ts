import assert from "node:assert/strict";
import { test } from "node:test";

import { formatEndpoint, parseAdvertised, parseEndpoints } from "../src/endpoints.ts";
import { DkvClientError } from "../src/errors.ts";

const readings: readonly (readonly [text: string, meaning: string])[] = [
  ["localhost:3000", "localhost:3000"],
  ["localhost", "localhost:3000"],
  [":3001", "localhost:3001"],
  ["10.0.0.1:80", "10.0.0.1:80"],
  ["[::1]:3000", "[::1]:3000"],
  ["[::1]", "[::1]:3000"],
  ["https://dkv.example", "dkv.example:443"],
  ["http://dkv.example/", "dkv.example:80"],
  ["https://dkv.example:8443", "dkv.example:8443"],
];

for (const [text, meaning] of readings) {
  test(`"${text}" means ${meaning}`, () => {
    assert.deepEqual(parseEndpoints([text]).endpoints.map(formatEndpoint), [meaning]);
  });
}

for (const text of [
  "",
  "a:b",
  "localhost:0",
  "localhost:65536",
  "localhost:123456",
  "::1",
  "[nonsense]:1",
  "ftp://x:1",
  "http://x/path",
  "a b:1",
  "user@x:1",
  "a|b:1",
  "%zz",
]) {
  test(`"${text}" is no endpoint`, () => {
    assert.throws(() => parseEndpoints([text]), DkvClientError);
  });
}

test("an endpoint given twice counts once", () => {
  assert.equal(parseEndpoints(["a:1", "b:1", "a:1"]).endpoints.length, 2);
});

test("TLS for some of the endpoints only is refused", () => {
  assert.throws(() => parseEndpoints(["https://a:1", "b:1"]), /different schemes/);
  assert.throws(() => parseEndpoints([]), /no endpoint given/);
});

test("an advertised address counts only if it says where", () => {
  assert.deepEqual(parseAdvertised("dkv-0.example:3000"), { host: "dkv-0.example", port: 3000 });
  assert.deepEqual(parseAdvertised("[fe80::1]:3000"), { host: "fe80::1", port: 3000 });
  for (const text of ["", ":3000", "0.0.0.0:3000", "[::]:3000", "host", "host:0", "host:99999", "a|b:3000"])
    assert.equal(parseAdvertised(text), undefined, text);
});
