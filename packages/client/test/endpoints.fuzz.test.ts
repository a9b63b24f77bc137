/** Endpoints as people write them, and addresses as members tell them. */
import assert from "node:assert/strict";
import { fuzz, readOrRefused } from "@dkv/fuzz";
import fc from "fast-check";
import { formatEndpoint, parseAdvertised, parseEndpoints } from "../src/endpoints.ts";
import { DkvClientError } from "../src/errors.ts";

const host = fc.oneof(
  fc.constantFrom(
    "localhost",
    "10.0.0.1",
    "[::1]",
    "[1::%eth0]",
    "",
    "0.0.0.0",
    "[::ffff:1.2.3.4]",
    "xn--",
    "é.example",
  ),
  fc.domain(),
  fc.ipV6().map((address) => `[${address}]`),
  fc.string({ unit: "binary", maxLength: 12 }),
);
const port = fc.oneof(
  fc.nat(70_000).map(String),
  fc.constantFrom("", "0", "65535", "65536", "00080", "-1", "1e3"),
);
const scheme = fc.constantFrom("", "", "http://", "https://", "HTTP://", "ftp://", "//");
const tail = fc.constantFrom("", "", "/", "//", "?", "#a", " ");
const endpoint = fc
  .tuple(
    scheme,
    host,
    fc.oneof(
      port.map((one) => `:${one}`),
      fc.constant(""),
    ),
    tail,
  )
  .map((parts) => parts.join(""));

/** What is said again in full means the same. */
function isStable(text: string): void {
  const [again] = parseEndpoints([text]).endpoints;
  assert.ok(again !== undefined);
  assert.equal(formatEndpoint(again), text);
}

fuzz("endpoints", {
  input: fc.array(fc.oneof(endpoint, fc.string({ unit: "binary" })), { maxLength: 3 }),
  check(texts) {
    const parsed = readOrRefused(() => parseEndpoints(texts), DkvClientError);
    for (const one of parsed?.endpoints ?? []) {
      assert.ok(Number.isInteger(one.port) && one.port >= 1 && one.port <= 65_535);
      assert.ok(URL.canParse(`http://${formatEndpoint(one)}`));
      isStable(formatEndpoint(one));
    }
    for (const text of texts) {
      const told = parseAdvertised(text);
      if (told !== undefined) isStable(formatEndpoint(told));
    }
  },
});

/** Long texts of one sort of character: an expression that goes back and forth would take for ever. */
fuzz("long endpoints", {
  input: fc.tuple(fc.constantFrom("a", ":", "[", "/", "1", ".", "[:", "http://"), fc.nat(50_000), tail),
  runs: 50,
  check([part, times, end]) {
    const text = part.repeat(times) + end;
    readOrRefused(() => parseEndpoints([text]), DkvClientError);
    parseAdvertised(text);
  },
});
