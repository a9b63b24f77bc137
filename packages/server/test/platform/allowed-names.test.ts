import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PeerCertificate } from "node:tls";
import { isAllowed } from "../../src/platform/allowed-names.ts";

const certificate = (CN: string | string[], subjectaltname?: string): PeerCertificate =>
  ({ subject: { CN }, subjectaltname }) as unknown as PeerCertificate;

describe("a certificate that must have a name", () => {
  it("may have any of the common names", () => {
    const commonNames = ["one", "two"];
    for (const [own, isGood] of [
      ["two", true],
      [["x", "one"], true],
      ["three", false],
      [[], false],
    ] as const)
      assert.equal(isAllowed(certificate([own].flat()), { commonNames, hosts: [] }), isGood);
    assert.equal(isAllowed({} as PeerCertificate, { commonNames, hosts: [] }), false);
  });

  it("may be for any of the hosts, as an alternative name and not as a common one", () => {
    const hosts = ["a.example", "b.example", "one.c.example"];
    const allowed = { commonNames: [], hosts };
    assert.equal(isAllowed(certificate("x", "DNS:b.example"), allowed), true);
    assert.equal(isAllowed(certificate("x", "DNS:*.c.example"), allowed), true);
    assert.equal(isAllowed(certificate("x", "DNS:c.example"), allowed), false);
    assert.equal(isAllowed(certificate("a.example"), allowed), false);
  });

  it("needs both where both are asked for, and neither where none is", () => {
    const both = { commonNames: ["one"], hosts: ["a.example"] };
    assert.equal(isAllowed(certificate("one", "DNS:a.example"), both), true);
    assert.equal(isAllowed(certificate("one", "DNS:b.example"), both), false);
    assert.equal(isAllowed(certificate("two", "DNS:a.example"), both), false);
    assert.equal(isAllowed(certificate("x"), { commonNames: [], hosts: [] }), true);
  });
});
