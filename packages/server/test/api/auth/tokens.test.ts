import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { User } from "@dkv/store";
import { type JwtOptions, JwtTokens, readJwtKeys } from "../../../src/api/auth/jwt-tokens.ts";
import { createPasswords } from "../../../src/api/auth/passwords.ts";
import { SimpleTokens } from "../../../src/api/auth/simple-tokens.ts";
import { mostRemembered, remember } from "../../../src/api/auth/tokens.ts";
import { systemRandom } from "../../../src/platform/random.ts";

const minute = 60_000;

const userOf = (name: string, hash = `hash of ${name}`): User => ({
  name,
  passwordHash: Buffer.from(hash),
  noPassword: false,
  roles: [],
});

const users = (...all: readonly User[]): ReadonlyMap<string, User> =>
  new Map(all.map((user) => [user.name, user]));

/** A member's clocks: the time of day, and one that began at some other time. */
class Clocks {
  dayMs = 1_800_000_000_000;
  readonly #offset: number;

  constructor(offset = 0) {
    this.#offset = offset;
  }

  pass(ms: number): void {
    this.dayMs += ms;
  }

  readonly timeOfDay = { nowMs: () => this.dayMs };
  readonly clock = { nowMs: () => this.dayMs - this.#offset };
}

function simpleTokens(clocks: Clocks, clusterId = 7n): SimpleTokens {
  const { clock, timeOfDay } = clocks;
  return new SimpleTokens(
    { ttlMs: 5 * minute, clusterId: () => clusterId },
    { clock, timeOfDay, random: systemRandom },
  );
}

describe("a simple token", () => {
  const ann = userOf("ann");

  it("is good on every member of the cluster, and no other", async () => {
    const token = await simpleTokens(new Clocks(5)).issue(ann);
    const [here, elsewhere] = [simpleTokens(new Clocks(99)), simpleTokens(new Clocks(), 8n)];
    assert.deepEqual(here.holderOf(token, users(ann)), { user: "ann", authRevision: undefined });
    assert.equal(elsewhere.holderOf(token, users(ann)), undefined);
  });

  it("ends with the user and with the password", async () => {
    const tokens = simpleTokens(new Clocks());
    const token = await tokens.issue(ann);
    assert.equal(tokens.holderOf(token, users(ann))?.user, "ann");
    assert.equal(tokens.holderOf(token, users(userOf("ann", "another"))), undefined);
    assert.equal(tokens.holderOf(token, users(userOf("bob"))), undefined);
    assert.equal(tokens.holderOf(token, users(ann))?.user, "ann");
  });

  it("is good as long as it is used, and some time longer", async () => {
    const clocks = new Clocks();
    const tokens = simpleTokens(clocks);
    const token = await tokens.issue(ann);
    for (let use = 0; use < 5; use += 1) {
      clocks.pass(4 * minute);
      assert.equal(tokens.holderOf(token, users(ann))?.user, "ann");
    }
    clocks.pass(5 * minute);
    assert.equal(tokens.holderOf(token, users(ann)), undefined);
    assert.equal(tokens.holderOf(token, users(ann)), undefined);
  });

  it("that was never used here is good for its first time only", async () => {
    const clocks = new Clocks();
    const token = await simpleTokens(clocks).issue(ann);
    clocks.pass(4 * minute);
    assert.equal(simpleTokens(clocks).holderOf(token, users(ann))?.user, "ann");
    clocks.pass(minute);
    assert.equal(simpleTokens(clocks).holderOf(token, users(ann)), undefined);
  });

  it("of a member whose clock goes far ahead is not good", async () => {
    const clocks = new Clocks();
    const ahead = new Clocks();
    ahead.pass(6 * minute);
    const token = await simpleTokens(ahead).issue(ann);
    assert.equal(simpleTokens(clocks).holderOf(token, users(ann)), undefined);
  });

  it("is not given to who has no password, and none is good for such a user", async () => {
    const tokens = simpleTokens(new Clocks());
    const nobody = userOf("ann", "");
    await assert.rejects(tokens.issue(nobody), { code: "authFailed" });
    const token = await tokens.issue(ann);
    assert.equal(tokens.holderOf(token, users(nobody)), undefined);
  });

  it("cannot be changed anywhere", async () => {
    const tokens = simpleTokens(new Clocks());
    const token = await tokens.issue(ann);
    const all = users(ann, userOf("anm"), userOf("bnn"));
    for (let at = 0; at < token.length; at += 1) {
      const other = token[at] === "A" ? "B" : "A";
      const changed = `${token.slice(0, at)}${other}${token.slice(at + 1)}`;
      assert.equal(tokens.holderOf(changed, all), undefined, changed);
    }
    for (const text of ["", ".", "a.b", "x".repeat(10_000), `${token}${token}`])
      assert.equal(tokens.holderOf(text, all), undefined, text);
  });

  it("is good as it was written alone, although base64 can be written in many ways", async () => {
    const tokens = simpleTokens(new Clocks());
    const token = await tokens.issue(ann);
    for (const other of [`${token}.`, `${token}.x`, `${token}=`, `!${token}`, token.replace(".", "=.")])
      assert.equal(tokens.holderOf(other, users(ann)), undefined, other);
    assert.equal(tokens.holderOf(token, users(ann))?.user, "ann");
  });
});

describe("a JSON Web Token", () => {
  let directory = "";
  const ann = userOf("ann");
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "dkv-jwt-"));
  });
  after(() => rm(directory, { recursive: true }));

  async function keysFor(method: string): Promise<JwtOptions> {
    const [publicKeyFile, privateKeyFile] = [join(directory, `${method}.pub`), join(directory, method)];
    if (method.startsWith("HS")) {
      await writeFile(privateKeyFile, "s".repeat(64));
      return { method, publicKeyFile: undefined, privateKeyFile, ttlMs: minute };
    }
    const { publicKey, privateKey } = pairFor(method);
    await writeFile(publicKeyFile, publicKey.export({ type: "spki", format: "pem" }));
    await writeFile(privateKeyFile, privateKey.export({ type: "pkcs8", format: "pem" }));
    return { method, publicKeyFile, privateKeyFile, ttlMs: minute };
  }

  const curves: Readonly<Record<string, string>> = { ES256: "P-256", ES384: "P-384", ES512: "P-521" };
  function pairFor(method: string) {
    if (method === "EdDSA") return generateKeyPairSync("ed25519");
    const namedCurve = curves[method];
    return namedCurve === undefined
      ? generateKeyPairSync("rsa", { modulusLength: 2048 })
      : generateKeyPairSync("ec", { namedCurve });
  }

  const tokensOf = (options: JwtOptions, clocks = new Clocks()): JwtTokens =>
    new JwtTokens(options, readJwtKeys(options), clocks.timeOfDay);

  for (const method of ["RS256", "RS512", "PS256", "ES256", "ES384", "ES512", "EdDSA", "HS256"]) {
    it(`of ${method} is good where its key is`, async () => {
      const options = await keysFor(method);
      const token = await tokensOf(options).issue(ann, 5n);
      const [, claims = ""] = token.split(".");
      assert.deepEqual(JSON.parse(Buffer.from(claims, "base64url").toString()), {
        username: "ann",
        revision: 5,
        exp: 1_800_000_060,
      });
      const checking = { ...options, ...(!method.startsWith("HS") && { privateKeyFile: undefined }) };
      const tokens = tokensOf(checking);
      const first = await tokens.holderOf(token, users(ann));
      assert.deepEqual([first?.user, first?.authRevision], ["ann", 5n]);
      // It is known now.
      assert.deepEqual(tokens.holderOf(token, users(ann)), first);
      assert.equal(tokens.holderOf(token, users(userOf("bob"))), undefined);
      const changed = `${token.slice(0, -8)}${token.at(-8) === "A" ? "B" : "A"}${token.slice(-7)}`;
      assert.equal(await tokens.holderOf(changed, users(ann)), undefined);
    });
  }

  it("is good for its time, known or not", async () => {
    const options = await keysFor("ES256");
    const clocks = new Clocks();
    const [known, other] = [tokensOf(options, clocks), tokensOf(options, clocks)];
    const token = await known.issue(ann, 1n);
    assert.equal((await known.holderOf(token, users(ann)))?.user, "ann");
    clocks.pass(minute);
    assert.equal(await known.holderOf(token, users(ann)), undefined);
    assert.equal(await other.holderOf(token, users(ann)), undefined);
  });

  it("of others is not good before its time", async () => {
    const options = await keysFor("HS256");
    const { CompactSign } = await import("jose");
    const { checking } = readJwtKeys(options);
    const made = async (nbf: unknown): Promise<string> => {
      const claims = JSON.stringify({ username: "ann", revision: 1, exp: 1_900_000_000, nbf });
      return new CompactSign(Buffer.from(claims)).setProtectedHeader({ alg: "HS256" }).sign(checking);
    };
    const clocks = new Clocks();
    const tokens = tokensOf(options, clocks);
    const [now, later] = [await made(1_800_000_000), await made(1_800_000_001)];
    assert.equal((await tokens.holderOf(now, users(ann)))?.user, "ann");
    assert.equal(await tokens.holderOf(later, users(ann)), undefined);
    assert.equal(await tokens.holderOf(later, users(ann)), undefined);
    clocks.pass(1000);
    assert.equal((await tokens.holderOf(later, users(ann)))?.user, "ann");
    assert.equal(await tokens.holderOf(await made("now"), users(ann)), undefined);
  });

  it("of another method, or of none, is not good", async () => {
    const [rs, ps] = [await keysFor("RS256"), await keysFor("RS384")];
    const token = await tokensOf({ ...ps, privateKeyFile: rs.privateKeyFile }).issue(ann, 1n);
    assert.equal(await tokensOf(rs).holderOf(token, users(ann)), undefined);
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = encode({ username: "ann", revision: 1, exp: 1_900_000_000 });
    for (const forged of [
      `${encode({ alg: "none" })}.${claims}.`,
      `${encode({ alg: "HS256" })}.${claims}.AAAA`,
    ])
      assert.equal(await tokensOf(rs).holderOf(forged, users(ann)), undefined);
  });

  it("without the claims of etcd is not good", async () => {
    const options = await keysFor("HS256");
    const { CompactSign } = await import("jose");
    const { checking } = readJwtKeys(options);
    const all = [
      {},
      { username: "ann" },
      { username: "ann", exp: 1_900_000_000 },
      { username: 1, revision: 1, exp: 1 },
    ];
    for (const claims of [...all.map((one) => JSON.stringify(one)), "null", "x", "[]"]) {
      const signing = new CompactSign(Buffer.from(claims)).setProtectedHeader({ alg: "HS256" });
      assert.equal(
        await tokensOf(options).holderOf(await signing.sign(checking), users(ann)),
        undefined,
        claims,
      );
    }
  });

  it("is made only where what is private is", async () => {
    const options = { ...(await keysFor("ES256")), privateKeyFile: undefined };
    await assert.rejects(tokensOf(options).issue(ann, 1n), { code: "authFailed" });
  });

  it("needs keys that fit, and says which does not", async () => {
    const [es, hs] = [await keysFor("ES256"), await keysFor("HS256")];
    const short = join(directory, "short");
    await writeFile(short, "guess me");
    const complaint = (options: JwtOptions, text: RegExp): void => {
      assert.throws(() => readJwtKeys(options), text);
    };
    complaint({ ...es, method: "RS256" }, /priv-key .* holds a key of another kind than RS256 takes/);
    complaint({ ...es, privateKeyFile: join(directory, "missing") }, /priv-key .*missing does not exist/);
    complaint({ ...es, publicKeyFile: short }, /pub-key .*short holds no public key in PEM form/);
    complaint({ ...hs, privateKeyFile: short }, /has 8 bytes: write at least 32/);
  });
});

describe("tokens that were looked at", () => {
  it("are forgotten, the oldest first, where they are too many", () => {
    const known = new Map<string, number>();
    for (let at = 0; at <= mostRemembered; at += 1) remember(known, String(at), at);
    assert.equal(known.size, mostRemembered);
    assert.equal(known.has("0"), false);
    assert.equal(known.has("1"), true);
  });
});

describe("a password", () => {
  const passwords = createPasswords(4);

  it("matches what is kept of it, and nothing else does", async () => {
    const kept = await passwords.hashOf("right");
    assert.match(Buffer.from(kept).toString(), /^\$2b\$04\$.{53}$/);
    assert.equal(await passwords.matches("right", kept), true);
    assert.equal(await passwords.matches("wrong", kept), false);
    assert.equal(await passwords.matches("", kept), false);
  });

  it("never matches where nothing is kept", async () => {
    for (const password of ["", "anything"]) {
      assert.equal(await passwords.matches(password, undefined), false);
      assert.equal(await passwords.matches(password, new Uint8Array()), false);
    }
  });

  it("is not cut short without a word", async () => {
    const kept = await passwords.hashOf("x".repeat(72));
    assert.equal(await passwords.matches("x".repeat(73), kept), false);
    await assert.rejects(passwords.hashOf("x".repeat(73)), { code: "invalidRequest" });
  });

  it("waits for others, and is refused where too many wait", async () => {
    const kept = await passwords.hashOf("right");
    const all = await Promise.allSettled(
      Array.from({ length: 300 }, async () => passwords.matches("right", kept)),
    );
    const refused = all.filter(({ status }) => status === "rejected");
    assert.equal(refused.length, 300 - 2 - 256);
    assert.equal(all.filter((one) => one.status === "fulfilled" && one.value).length, 258);
    assert.equal(await passwords.matches("right", kept), true);
  });
});
