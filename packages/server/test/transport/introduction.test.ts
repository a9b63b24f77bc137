/** How a process that is new to a cluster learns who it is. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createAuthority } from "@dkv/certificates";
import { encodeConfiguration, initialConfiguration, nodeId, type Configuration } from "@dkv/raft";
import { decodeHelloReply, encodeHelloReply } from "../../src/codec/handshake-codec.ts";
import { encodeMembership } from "../../src/codec/membership-codec.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { StartupError } from "../../src/platform/startup-error.ts";
import type { TlsPaths } from "../../src/platform/tls-files.ts";
import { askForIntroduction } from "../../src/transport/introduction.ts";
import type { KnownMember, Newcomer } from "../../src/transport/options.ts";
import {
  addresses,
  authority,
  clusterId,
  dial,
  impostor,
  issue,
  replyOf,
  started,
  tlsFiles,
} from "./fixture.ts";

const here = await issue(["localhost"]);
const tls = tlsFiles(authority, here);
const memberId = nodeId(99n);
const peerAddress = "new.example:2380";

/** Of a hundred voters, and the newcomer under some name; longer than a greeting may be. */
function configurationWith(name: string): Configuration {
  const voters = Array.from({ length: 100 }, (_, at) => ({
    id: nodeId(BigInt(at + 100)),
    name: `${String(at)}${"x".repeat(200)}`,
    peerAddress: `host-${String(at)}:2380`,
    incarnation: 7n,
  }));
  const context = encodeMembership({
    rows: [...voters, { id: memberId, name, peerAddress, incarnation: 0n }],
    history: 0n,
  });
  const ids = voters.map(({ id }) => id);
  return { ...initialConfiguration(ids, context), learners: [memberId] };
}

const configuration = configurationWith("new");
const newcomer: KnownMember = {
  kind: "learner",
  memberId,
  peerAddress,
  configuration: encodeConfiguration(configuration),
};
const introduce = ({ name }: Newcomer): KnownMember | undefined => (name === "new" ? newcomer : undefined);

function ask(name: string, addressesOf: readonly { peerAddress: string }[], paths: TlsPaths | undefined) {
  const question = { name, addresses: addressesOf.map(({ peerAddress }) => peerAddress), tls: paths };
  return askForIntroduction(question, { clock: systemClock, handshakeMs: 2_000 });
}

describe("a new member", () => {
  const introduced = { kind: "introduced", clusterId, memberId };

  it("learns who it is, in clear and with a certificate for its name or for its host", async () => {
    for (const own of [undefined, "new", "new.example"]) {
      const all = await addresses(1);
      const paths = own === undefined ? undefined : tlsFiles(authority, await issue([own]));
      const member = await started(all, 0, { tls: paths && tls, introduce });
      const result = await ask("new", all, paths);
      assert.ok(result.kind === "introduced");
      assert.deepEqual({ ...result, configuration: undefined }, { ...introduced, configuration: undefined });
      assert.deepEqual(
        Buffer.from(encodeConfiguration(result.configuration)),
        Buffer.from(newcomer.configuration),
      );
      await member.log.find(({ msg }) => msg === "told a new member who it is");
      assert.ok(!member.log.items.some(({ msg }) => msg === "refused a peer connection"));
    }
  });

  it("is refused with a certificate of somebody else, and learns nothing", async () => {
    const all = await addresses(1);
    await started(all, 0, { tls, introduce });
    const result = await ask("new", all, tls);
    assert.equal(result.kind, "refused");
    assert.match(
      "reason" in result ? result.reason : "",
      /names neither new nor the host of its peer address new\.example:2380/,
    );
    const stranger = dial(all[0] ?? assert.fail(), here);
    stranger.hello(all, 0, 0, { purpose: "introduction", name: "new" });
    assert.equal(decodeHelloReply(await stranger.frames.find(() => true)).introduction, undefined);
  });

  it("is told what to do before it was added, and may ask again", async () => {
    const all = await addresses(2);
    let isAdded = false;
    await started(all, 0, { tls, introduce: (one) => (isAdded ? introduce(one) : undefined) });
    const own = tlsFiles(authority, await issue(["new"]));
    const before = await ask("new", all, own);
    assert.equal(before.kind, "notYet");
    assert.match(
      "reason" in before ? before.reason : "",
      /no member named new: add it with `dkvctl member-join new HOST:PORT`.*ECONNREFUSED/,
    );
    isAdded = true;
    assert.equal((await ask("new", all, own)).kind, "introduced");
  });

  it("is told why nothing is certain of it yet, and may ask again", async () => {
    const all = await addresses(1);
    const uncertain: KnownMember = { kind: "uncertain", reason: "no leader is known here yet" };
    await started(all, 0, { tls, introduce: () => uncertain });
    const result = await ask("new", all, tls);
    assert.equal(result.kind, "notYet");
    assert.match("reason" in result ? result.reason : "", /no leader is known here yet/);
    assert.doesNotMatch("reason" in result ? result.reason : "", /member-join/);
  });

  it("that is a voter is refused for good, and told once what to do", async () => {
    const all = await addresses(2);
    const voter: KnownMember = { kind: "voter", memberId, peerAddress };
    for (const at of [0, 1]) await started(all, at, { tls, introduce: () => voter });
    const own = tlsFiles(authority, await issue(["new"]));
    assert.deepEqual(await ask("new", all, own), {
      kind: "refused",
      reason:
        "new is a voter of this cluster, and its votes are lost with its data: " +
        "replace it with `dkvctl member-replace new new HOST:PORT`, and start it with an empty data directory " +
        "and --initial-cluster-state=existing",
    });
    const stranger = await ask("new", all, tls);
    assert.match("reason" in stranger ? stranger.reason : "", /^the certificate names neither new nor/);
  });

  it("does not believe an introduction that makes no sense, or that is not its own", async () => {
    const asVoter = { ...configuration, voters: [...configuration.voters, memberId], learners: [] };
    const withoutTable = { ...configuration, context: Uint8Array.of(0xff) };
    for (const [bytes, kind, reason] of [
      [Uint8Array.of(0xff, 0xff), "unreachable", /a configuration that makes no sense/],
      [encodeConfiguration(withoutTable), "unreachable", /a membership table is not as it was written/],
      [encodeConfiguration(asVoter), "refused", /no learner named new/],
      [encodeConfiguration(configurationWith("other")), "refused", /no learner named new/],
    ] as const) {
      const all = await addresses(1);
      const introduction = { clusterId, memberId, configuration: bytes };
      await impostor(all[0] ?? assert.fail(), here, ({ socket }) =>
        socket.end(encodeHelloReply(replyOf({ introduction }))),
      );
      const result = await ask("new", all, tls);
      assert.equal(result.kind, kind);
      assert.match("reason" in result ? result.reason : "", reason);
    }
  });

  it("asks one member after the other", async () => {
    const all = await addresses(3);
    const [first, second, third] = all;
    assert.ok(first !== undefined && second !== undefined && third !== undefined);
    const own = tlsFiles(authority, await issue(["new"]));
    const none = await ask("new", all, own);
    assert.equal(none.kind, "unreachable");
    assert.equal("reason" in none ? none.reason.match(/ECONNREFUSED/g)?.length : 0, 3);
    // Somebody who says nothing of use, a member that introduces nobody, and one that does.
    await impostor(first, here, ({ socket }) => socket.end(encodeHelloReply(replyOf())));
    await started(all, 1, { tls });
    assert.equal((await ask("new", all, own)).kind, "refused");
    await started(all, 2, { tls, introduce });
    assert.equal((await ask("new", all, own)).kind, "introduced");
  });

  it("does not ask whom it cannot trust, and does not wait without end", async () => {
    const elsewhere = await issue(["elsewhere.example"]);
    const foreign = await issue(["localhost"], await createAuthority());
    for (const credentials of [elsewhere, foreign]) {
      const all = await addresses(1);
      const heard: Buffer[] = [];
      await impostor(all[0] ?? assert.fail(), credentials, ({ socket }) => {
        socket.on("data", (chunk: Buffer) => heard.push(chunk));
        socket.write(encodeHelloReply(replyOf()));
      });
      assert.equal((await ask("new", all, tls)).kind, "unreachable");
      assert.deepEqual(heard, []);
    }
    for (const answer of [Buffer.alloc(0), Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")]) {
      const all = await addresses(1);
      await impostor(all[0] ?? assert.fail(), here, ({ socket }) => socket.write(answer));
      const question = { name: "new", addresses: all.map(({ peerAddress }) => peerAddress), tls };
      const handshakeMs = answer.length === 0 ? 200 : 5_000;
      const result = await askForIntroduction(question, { clock: systemClock, handshakeMs });
      assert.ok(result.kind === "unreachable");
      assert.match(result.reason, answer.length === 0 ? /no answer within 200 ms/ : /a frame of/);
    }
  });

  it("needs sound certificates of its own", async () => {
    const all = await addresses(1);
    await assert.rejects(ask("new", all, { ...tls, certFile: "/nonexistent" }), StartupError);
    await assert.rejects(ask("new", all, { ...tls, trustedCaFile: undefined }), { kind: "usage" });
  });
});
