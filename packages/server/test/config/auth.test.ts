import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readConfig } from "../../src/config/config.ts";
import { gatherValues } from "../../src/config/values.ts";

async function authOf(...argv: readonly string[]) {
  const enough = ["--name=a", "--initial-cluster=a=localhost:2380"];
  const line = await gatherValues([...enough, ...argv], {}, "1.0.0");
  assert.equal(line.kind, "run");
  return readConfig(line.values).auth;
}

describe("flags of authentication", () => {
  it("are etcd's unless something else is said", async () => {
    assert.deepEqual(await authOf(), { bcryptCost: 10, token: { kind: "simple", ttlMs: 300_000 } });
    assert.deepEqual(await authOf("--auth-token=simple", "--auth-token-ttl=60", "--bcrypt-cost=4"), {
      bcryptCost: 4,
      token: { kind: "simple", ttlMs: 60_000 },
    });
    const { token } = await authOf("--auth-token-ttl=10m");
    assert.equal(token.ttlMs, 600_000);
  });

  it("name a method and keys of JSON Web Tokens", async () => {
    const given = "jwt,sign-method=ES256, pub-key=/keys/a=b.pub,priv-key=/keys/a,ttl=10m";
    assert.deepEqual((await authOf(`--auth-token=${given}`)).token, {
      kind: "jwt",
      method: "ES256",
      publicKeyFile: "/keys/a=b.pub",
      privateKeyFile: "/keys/a",
      ttlMs: 600_000,
    });
    assert.deepEqual((await authOf("--auth-token=jwt,sign-method=HS256,priv-key=k")).token, {
      kind: "jwt",
      method: "HS256",
      publicKeyFile: undefined,
      privateKeyFile: "k",
      ttlMs: 300_000,
    });
  });

  const mistakes: Readonly<Record<string, RegExp>> = {
    "--auth-token=jwt": /has the sign-method ""; write one of RS256/,
    "--auth-token=jwt,sign-method=none,priv-key=k": /has the sign-method "none"/,
    "--auth-token=jwt,sign-method=RS256": /needs priv-key=FILE to make tokens, or pub-key=FILE to check/,
    "--auth-token=jwt,sign-method=HS256,pub-key=k": /with HS256 needs priv-key=FILE/,
    "--auth-token=jwt,sign-method=RS256,key=k": /has "key=k"; write sign-method=\.\.\., pub-key/,
    "--auth-token=jwt,sign-method=RS256,priv-key=": /has "priv-key="/,
    "--auth-token=jwt,sign-method=RS256,priv-key=k,ttl=0": /ttl of --auth-token is "0"; write a duration/,
    "--auth-token=simple,ttl=3": /write simple, or jwt,/,
    "--auth-token=other": /--auth-token is "other"/,
    "--auth-token-ttl=0": /--auth-token-ttl is "0"; write a duration/,
    "--auth-token-ttl=forever": /from 1s to 576h/,
    "--bcrypt-cost=3": /whole number from 4 to 31/,
    "--bcrypt-cost=32": /whole number from 4 to 31/,
  };
  for (const [flag, complaint] of Object.entries(mistakes)) {
    it(`say what is wrong with ${flag}`, async () => {
      await assert.rejects(authOf(flag), complaint);
    });
  }
});
