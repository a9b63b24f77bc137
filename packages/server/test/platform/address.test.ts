import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatAddress, parseHostPort } from "../../src/platform/address.ts";
import { StartupError } from "../../src/platform/startup-error.ts";

describe("an address", () => {
  it("is read in each of its forms, and written as it was", () => {
    const forms = [
      [":2380", undefined, 2380],
      ["localhost:2380", "localhost", 2380],
      ["dkv-0.example.org:0", "dkv-0.example.org", 0],
      ["my_container:65535", "my_container", 65535],
      ["0.0.0.0:1", "0.0.0.0", 1],
      ["[::1]:2380", "::1", 2380],
      ["[2001:db8::7]:2380", "2001:db8::7", 2380],
    ] as const;
    for (const [text, host, port] of forms) {
      assert.deepEqual(parseHostPort(text, "--flag"), { host, port }, text);
      assert.equal(formatAddress({ host, port }), text);
    }
  });

  it("is refused otherwise, with the place and an example", () => {
    const wrong = [
      "",
      "localhost",
      "2380",
      "localhost:",
      "localhost:65536",
      "localhost:-1",
      "localhost:http",
      "::1:2380",
      "::1",
      "[::1]",
      "[localhost]:1",
    ];
    for (const text of [
      ...wrong,
      "[]:1",
      "http://localhost:1",
      "a b:1",
      "a/b:1",
      "a:1:2",
      " a:1",
      "a:1\n",
      "[::1]x:1",
    ]) {
      assert.throws(
        () => parseHostPort(text, "--flag"),
        (error) => {
          assert.ok(error instanceof StartupError && error.kind === "usage");
          return error.message.startsWith(`--flag is "${text}"; write HOST:PORT`);
        },
        text,
      );
    }
  });
});
