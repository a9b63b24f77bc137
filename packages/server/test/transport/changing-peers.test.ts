/** Members that come, go and move while others talk. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nodeId, type NodeId } from "@dkv/raft";
import { decodeHelloReply, encodeHelloReply } from "../../src/codec/handshake-codec.ts";
import type { PeerAddress, TransportOptions } from "../../src/transport/options.ts";
import type { PeerRequest } from "../../src/transport/peer-transport.ts";
import {
  addresses,
  authority,
  clusterId,
  connected,
  dial,
  emptyFrame,
  exchange,
  impostor,
  issue,
  type Member,
  member,
  numbered,
  numberIn,
  numbersFrom,
  replyOf,
  start,
  started,
  type Stranger,
  tlsFiles,
} from "./fixture.ts";

const here = await issue(["localhost"]);
const elsewhere = await issue(["elsewhere.example"]);
const tls = tlsFiles(authority, here);
const nobody: ReadonlySet<NodeId> = new Set();
const range = (count: number): readonly number[] => Array.from({ length: count }, (_, position) => position);
const refusal = ({ msg }: { msg: string }) => msg === "refused a peer connection";

/** A member that knows of these only. */
function knowing(
  all: readonly PeerAddress[],
  [position, ...others]: readonly [number, ...number[]],
  overrides: Partial<TransportOptions> = {},
): Promise<Member> {
  const peers = others.map((other) => all[other] ?? assert.fail());
  return started(all, position, { tls, peers, ...overrides });
}

/** Sends again and again, until one arrives. */
async function insist(from: Member, to: Member, value: number): Promise<void> {
  const timer = setInterval(() => from.transport.send(to.address.id, numbered(value)), 20);
  try {
    await to.arrivals.find((arrival) => arrival.from === from.address.id && numberIn(arrival) === value);
  } finally {
    clearInterval(timer);
  }
}

async function pair() {
  const all = await addresses(3);
  const [a, b] = [await knowing(all, [0, 1]), await knowing(all, [1, 0])];
  await connected(a, b.address);
  await connected(b, a.address);
  return { all, a, b };
}

for (const [mode, overrides] of [
  ["in clear", { tls: undefined }],
  ["with TLS", {}],
] as const) {
  describe(`members that change, ${mode},`, () => {
    it("talk to one that is added, and keep what they know of the others", async () => {
      const all = await addresses(3);
      const [a, b] = [await knowing(all, [0, 1], overrides), await knowing(all, [1, 0], overrides)];
      await connected(a, b.address);
      await connected(b, a.address);
      await exchange(a, b, 1);
      const before = a.transport.peers()[0];
      const c = await knowing(all, [2, 0, 1], overrides);
      assert.match((await a.log.find(refusal)).reason ?? "", /member 0+3 is not known to dkv-1/);
      assert.equal(a.transport.send(c.address.id, numbered(1)), false);
      a.transport.setPeers(all, nobody);
      b.transport.setPeers(all, nobody);
      for (const one of [a, b]) {
        await connected(one, c.address);
        await connected(c, one.address);
        await exchange(one, c, 2);
        await exchange(c, one, 3);
      }
      const after = a.transport.peers().find(({ id }) => id === b.address.id);
      assert.equal(after?.clientAddress, before?.clientAddress);
      assert.ok((after?.lastHeardMs ?? 0) >= (before?.lastHeardMs ?? Infinity));
      assert.equal(a.transport.peers().length, 2, "a member is no peer of its own");
      assert.equal(a.log.items.filter(({ msg }) => msg === "lost connection to peer").length, 0);
    });

    it("give one that is removed what is queued for it, and then hear and tell it nothing more", async () => {
      const all = await addresses(3);
      const everyone = [
        await knowing(all, [0, 1, 2], overrides),
        await knowing(all, [1, 0, 2], overrides),
        await knowing(all, [2, 0, 1], overrides),
      ] as const;
      const [a, b, c] = everyone;
      for (const one of everyone)
        for (const other of everyone) if (one !== other) await connected(one, other.address);
      for (const value of range(100)) a.transport.send(c.address.id, numbered(value, 20_000));
      a.transport.setPeers([a.address, b.address], new Set([c.address.id]));
      assert.equal(a.transport.send(c.address.id, numbered(100)), false);
      await c.arrivals.find((arrival) => numberIn(arrival) === 99);
      assert.deepEqual(numbersFrom(c, a.address), range(100));
      await c.log.find(({ msg, peer }) => msg === "lost connection to peer" && peer === a.address.name);
      assert.equal(c.transport.send(a.address.id, numbered(1)), false);
      assert.equal(a.arrivals.items.length, 0);
      assert.deepEqual(
        a.transport.peers().map(({ id }) => id),
        [b.address.id],
      );
      // The others are not disturbed.
      await exchange(a, b, 1);
      await exchange(c, b, 2);
    });
  });
}

describe("a member that was removed", () => {
  it("is told so when it dials, by each that knows", async () => {
    const { a, b } = await pair();
    a.transport.setPeers([], new Set([b.address.id]));
    await b.removals.find(() => true);
    const said = ({ msg, reason = "" }: { msg: string; reason?: string }) =>
      msg === "cannot reach peer; trying again" && reason.includes("was removed from the cluster");
    await b.log.find(said);
    assert.equal(a.removals.items.length, 0);
  });

  it("is told so in a field of its own, and the unknown are only told that they are unknown", async () => {
    const { all, a } = await pair();
    a.transport.setPeers([], new Set([nodeId(2n)]));
    for (const [from, removed] of [
      [1, true],
      [2, false],
    ] as const) {
      const stranger = dial(a.address, here);
      stranger.hello(all, from, 0);
      const reply = decodeHelloReply(await stranger.frames.find(() => true));
      assert.deepEqual(
        { removed: reply.removed, later: reply.later, clusterId: reply.clusterId, from: reply.from },
        { removed, later: !removed, clusterId, from: a.address.id },
      );
      assert.match(reply.refusal, removed ? /was removed from the cluster/ : /is not known/);
    }
  });

  it("believes no wrong certificate, no other cluster, and nobody in another's name", async () => {
    const honest = replyOf({ refusal: "removed", removed: true, from: nodeId(2n) });
    const cases = [
      { reply: honest, credentials: elsewhere, isBelieved: false },
      { reply: { ...honest, clusterId: 0xbadn }, credentials: here, isBelieved: false },
      { reply: { ...honest, from: nodeId(3n) }, credentials: here, isBelieved: false },
      { reply: { ...honest, removed: false }, credentials: here, isBelieved: false },
      { reply: { ...honest, refusal: "" }, credentials: here, isBelieved: false },
      { reply: honest, credentials: here, isBelieved: true },
    ];
    for (const [position, { reply, credentials, isBelieved }] of cases.entries()) {
      const all = await addresses(2);
      await impostor(all[1] ?? assert.fail(), credentials, (stranger) => {
        stranger.socket.end(encodeHelloReply(reply));
      });
      const a = await knowing(all, [0, 1]);
      await a.log.find(
        ({ msg }) => msg === "cannot reach peer; trying again" || msg === "lost connection to peer",
      );
      if (isBelieved) await a.removals.find(() => true);
      else assert.equal(a.removals.items.length, 0, `case ${String(position)}`);
      await a.transport.close();
    }
  });

  it("and does not read what is left for it is not waited for without end", async () => {
    const all = await addresses(2);
    const [, second] = all;
    assert.ok(second !== undefined);
    const { promise: deaf, resolve } = Promise.withResolvers<Stranger>();
    await impostor(second, here, (stranger) => {
      stranger.socket.write(encodeHelloReply(replyOf({ from: second.id })));
      stranger.socket.pause();
      resolve(stranger);
    });
    const timing = { pingMs: 20, silenceMs: 300 };
    const a = await knowing(all, [0, 1], { timing, maxQueueBytes: 64 * 2 ** 20 });
    await connected(a, second);
    for (const value of range(40)) a.transport.send(second.id, numbered(value, 2 ** 20));
    a.transport.setPeers([], new Set([second.id]));
    await new Promise((done) => setTimeout(done, 600));
    const stranger = await deaf;
    stranger.socket.resume();
    await stranger.closed;
    assert.ok(stranger.frames.items.length < 40, "what it did not read in time is gone");
  });
});

describe("a member that moves", () => {
  it("is heard where it was until it goes, and is dialled at its new address then", async () => {
    const { all, a, b } = await pair();
    await exchange(a, b, 1);
    const [before] = a.transport.peers();
    const [elsewhere] = await addresses(1);
    const moved = { ...b.address, peerAddress: elsewhere?.peerAddress ?? assert.fail() };
    for (const value of range(50)) a.transport.send(b.address.id, numbered(value, 1000));
    a.transport.setPeers([moved], nobody);
    assert.equal(a.transport.peers()[0]?.clientAddress, before?.clientAddress);
    assert.equal(a.transport.peers()[0]?.peerAddress, moved.peerAddress);
    assert.equal(a.transport.send(b.address.id, numbered(50)), true);
    await b.arrivals.find((arrival) => numberIn(arrival) === 50);
    await b.transport.close();
    const again = member([all[0] ?? assert.fail(), moved], 1, { tls });
    await start(again);
    await connected(a, moved, 2);
    await connected(again, a.address);
    await exchange(a, again, 2);
    await exchange(again, a, 3);
  });

  it("is told the same for a name that changes without its address", async () => {
    const { a, b } = await pair();
    a.transport.setPeers([{ ...b.address, name: "renamed" }], nobody);
    assert.equal(a.transport.peers()[0]?.name, "renamed");
    await exchange(a, b, 1);
    assert.equal(a.log.items.filter(({ msg }) => msg === "connected to peer").length, 1);
  });
});

describe("peers", () => {
  it("may be set before the start, and after the end without any effect", async () => {
    const all = await addresses(3);
    const b = await knowing(all, [1, 0]);
    const gone = all[2] ?? assert.fail();
    const a = member(all, 0, { tls, peers: [gone] });
    a.transport.setPeers([b.address], new Set([gone.id]));
    await start(a);
    await connected(a, b.address);
    await exchange(a, b, 1);
    await a.transport.close();
    a.transport.setPeers(all, nobody);
    assert.equal(a.transport.peers().length, 1);
  });

  it("may change again and again while frames flow, and none is lost between those that stay", async () => {
    const { all, a, b } = await pair();
    const c = await knowing(all, [2, 0, 1]);
    for (const value of range(60)) {
      a.transport.setPeers(value % 2 === 0 ? all : [b.address], nobody);
      b.transport.setPeers(value % 3 === 0 ? all : [a.address], nobody);
      a.transport.send(b.address.id, numbered(value));
      b.transport.send(a.address.id, numbered(value));
      c.transport.send(a.address.id, numbered(value));
      if (value % 10 === 0) await b.arrivals.find((arrival) => numberIn(arrival) === value);
    }
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      await one.arrivals.find(
        ({ from, frame }) => from === other.address.id && numberIn({ from, frame }) === 59,
      );
      assert.deepEqual(numbersFrom(one, other.address), range(60));
    }
    a.transport.setPeers(all, nobody);
    await insist(a, c, 100);
    await insist(c, a, 101);
  });

  it("get requests and responses, and no frame with more than its receiver would take", async () => {
    const { a, b } = await pair();
    const requests = [{ id: 7, body: Buffer.from("who leads?") }];
    const responses = [{ id: 2 ** 50, body: Buffer.alloc(0) }];
    assert.ok(a.transport.send(b.address.id, { ...emptyFrame, requests, responses }));
    const { frame } = await b.arrivals.find(() => true);
    const plain = (list: readonly PeerRequest[]) => list.map(({ id, body }) => [id, Buffer.from(body)]);
    assert.deepEqual(plain(frame.requests), plain(requests));
    assert.deepEqual(plain(frame.responses), plain(responses));
    const many = Array.from({ length: 1025 }, () => ({ id: 1, body: Buffer.alloc(0) }));
    assert.equal(a.transport.send(b.address.id, { ...emptyFrame, responses: many }), false);
    a.transport.send(b.address.id, numbered(1));
    await b.arrivals.find((arrival) => arrival.frame.forwarded.length > 0);
  });

  it("may say what this version does not know: that is passed over, and mentioned once", async () => {
    // The member itself is not there: it would dial, and the stranger give way to it.
    const all = await addresses(3);
    const a = await knowing(all, [0, 1]);
    const stranger = dial(a.address, here);
    stranger.hello(all, 1, 0, { version: "9.9.9" });
    await stranger.frames.find(() => true);
    // A message from 2 to 1 with field 16; a command; field 100 of the frame.
    const ends = [9, 2, 0, 0, 0, 0, 0, 0, 0, 17, 1, 0, 0, 0, 0, 0, 0, 0, 0x82, 1, 1, 0];
    const frame = Buffer.from([10, ends.length, ...ends, 18, 4, 0, 0, 0, 5, 0xa0, 6, 1]);
    for (const _ of range(5))
      stranger.socket.write(Buffer.concat([Buffer.from([0, 0, 0, frame.length]), frame]));
    const said = ({ msg }: { msg: string }) => msg.includes("this version does not know");
    await a.arrivals.find(() => a.arrivals.items.length === 5);
    assert.ok(a.arrivals.items.every((arrival) => numberIn(arrival) === 5));
    assert.deepEqual(
      a.log.items.filter(said).map(({ what }) => what),
      ["messages with field 16", "frames with field 100"],
    );
    assert.equal(a.transport.peers()[0]?.version, "9.9.9");
    stranger.socket.write(Buffer.from([0, 0, 0, 3, 10, 5, 1]));
    await stranger.closed;
  });
});
