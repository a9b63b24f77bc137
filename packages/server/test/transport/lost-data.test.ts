import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nodeId } from "@dkv/raft";
import { decodeHelloReply, encodeHelloReply } from "../../src/codec/handshake-codec.ts";
import type { PeerAddress } from "../../src/transport/options.ts";
import {
  addresses,
  authority,
  connected,
  dial,
  impostor,
  issue,
  replyOf,
  started,
  tlsFiles,
} from "./fixture.ts";

const here = await issue(["localhost"]);
const tls = tlsFiles(authority, here);

const known = (all: readonly PeerAddress[], incarnation: bigint): PeerAddress => ({
  ...(all[1] ?? assert.fail()),
  incarnation,
});

describe("a member that comes with another data directory", () => {
  it("is refused by those who know the one that it had, told so, and by nobody else", async () => {
    const all = await addresses(2);
    const tellings = [
      { had: 7n, has: 8n, isRefused: true },
      { had: 7n, has: 7n, isRefused: false },
      { had: 0n, has: 8n, isRefused: false },
      { had: 7n, has: 0n, isRefused: false },
    ];
    for (const { had, has, isRefused } of tellings) {
      const a = await started(all, 0, { tls, peers: [known(all, had)] });
      for (const purpose of ["member", "snapshot"] as const) {
        const stranger = dial(a.address, here);
        stranger.hello(all, 1, 0, { incarnation: has, purpose });
        const { dataLost, removed, refusal } = decodeHelloReply(await stranger.frames.find(() => true));
        assert.deepEqual({ dataLost, removed }, { dataLost: isRefused, removed: false });
        assert.equal(/dkv-2 is a voter .* its votes are lost with its data/.test(refusal), isRefused);
      }
      await a.transport.close();
    }
  });

  it("learns that, and why, from the first that it dials, which sends it nothing either", async () => {
    const all = await addresses(2);
    const a = await started(all, 0, { tls, peers: [known(all, 99n)] });
    const b = await started(all, 1, { tls });
    assert.match(await b.losses.find(() => true), /its votes are lost with its data/);
    await a.log.find(({ reason }) => reason?.includes("it has lost its data") === true);
    assert.equal(a.losses.items.length, 0);
  });

  it("is heard no more once it is known that it had another one", async () => {
    const all = await addresses(2);
    const [a, b] = [await started(all, 0, { tls }), await started(all, 1, { tls })];
    await connected(a, b.address);
    await connected(b, a.address);
    a.transport.setPeers([known(all, 99n)], new Set());
    assert.match(await b.losses.find(() => true), /its votes are lost with its data/);
  });

  it("believes it only from whom it dialled", async () => {
    const honest = replyOf({ refusal: "lost", dataLost: true, from: nodeId(2n) });
    const cases = [
      { reply: { ...honest, clusterId: 0xbadn }, isBelieved: false },
      { reply: { ...honest, from: nodeId(3n) }, isBelieved: false },
      { reply: { ...honest, dataLost: false }, isBelieved: false },
      { reply: honest, isBelieved: true },
    ];
    for (const [position, { reply, isBelieved }] of cases.entries()) {
      const all = await addresses(2);
      await impostor(all[1] ?? assert.fail(), here, (stranger) => {
        stranger.socket.end(encodeHelloReply(reply));
      });
      const a = await started(all, 0, { tls });
      await a.log.find(({ msg }) => msg === "cannot reach peer; trying again");
      assert.equal(a.losses.items.length > 0, isBelieved, `case ${String(position)}`);
      await a.transport.close();
    }
  });
});

describe("members of a cluster that was begun twice", () => {
  it("do not talk to each other, say why, and go on, whatever else they know of each other", async () => {
    const all = await addresses(2);
    const a = await started(all, 0, { tls, peers: [known(all, 99n)], history: () => 1n });
    const b = await started(all, 1, { tls, history: () => 2n });
    for (const { log } of [a, b])
      await log.find(({ reason }) => reason?.includes("has data of another history") === true);
    const stranger = dial(a.address, here);
    stranger.hello(all, 1, 0, { history: 2n, incarnation: 5n });
    const { dataLost, refusal } = decodeHelloReply(await stranger.frames.find(() => true));
    assert.match(refusal, /dkv-2 has data of another history/);
    assert.ok(!dataLost);
    assert.deepEqual([...a.losses.items, ...b.losses.items], []);
  });

  it("know it from the answer, too", async () => {
    const all = await addresses(2);
    await impostor(all[1] ?? assert.fail(), here, (stranger) => {
      stranger.socket.write(encodeHelloReply(replyOf({ from: nodeId(2n), history: 2n })));
    });
    const a = await started(all, 0, { tls, history: () => 1n });
    await a.log.find(({ reason }) => reason?.includes("has data of another history") === true);
  });

  it("let in who has none yet", async () => {
    const all = await addresses(2);
    const a = await started(all, 0, { tls, history: () => 1n });
    const b = await started(all, 1, { tls });
    await connected(a, b.address);
    await connected(b, a.address);
  });
});
