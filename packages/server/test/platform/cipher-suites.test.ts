import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { getCiphers } from "node:tls";
import { opensslCiphers } from "../../src/platform/cipher-suites.ts";

/** What there is besides TLS 1.3. */
function named(...names: readonly string[]): readonly string[] {
  const ciphers = opensslCiphers(names);
  assert.ok(ciphers.kind === "ciphers");
  return ciphers.text.split(":").filter((name) => !name.startsWith("TLS_"));
}

describe("names of cipher suites", () => {
  it("become those of OpenSSL", () => {
    const pairs = [
      ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"],
      ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"],
      ["TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA"],
      ["TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "ECDHE-ECDSA-AES128-SHA256"],
      ["TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256"],
      ["TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"],
      ["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"],
    ] as const;
    for (const [name, own] of pairs) {
      assert.deepEqual(named(name), [own]);
      assert.ok(getCiphers().includes(own.toLowerCase()));
    }
  });

  it("of TLS 1.3 are there in any case, once each", () => {
    const ciphers = opensslCiphers(["TLS_AES_128_GCM_SHA256"]);
    assert.deepEqual(ciphers, {
      kind: "ciphers",
      text: "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256",
    });
  });

  it("that OpenSSL does not offer are told", () => {
    for (const name of ["TLS_RSA_WITH_RC4_128_SHA", "TLS_RSA_WITH_AES_256_CBC_MD5", "x", "AES128-SHA"])
      assert.deepEqual(opensslCiphers(["TLS_RSA_WITH_AES_128_CBC_SHA", name]), { kind: "unknown", name });
  });
});
