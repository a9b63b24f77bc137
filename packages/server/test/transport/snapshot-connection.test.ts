/** What a member makes of others who say that they send snapshots. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { term } from "@dkv/raft";
import { encodeHeader } from "@dkv/snapshot";
import { encodeHello } from "../../src/codec/handshake-codec.ts";
import {
  decodeSnapshotAnswer,
  encodeSnapshotFrame,
  type SnapshotFrame,
} from "../../src/codec/snapshot-codec.ts";
import { clusterId, dial, exchange, issue, protocolVersion } from "./fixture.ts";
import { header, madeUp, pair, send } from "./snapshots.ts";

const here = await issue(["localhost"]);
const complete = { kind: "complete" };

describe("a connection for a snapshot", () => {
  const offer: SnapshotFrame = { kind: "offer", term: term(3), header: encodeHeader(header) };
  const chunkOne = encodeSnapshotFrame({ kind: "chunk", chunk: Buffer.from([0, 0, 0, 1]) });
  const nonsense: readonly (readonly [string, readonly Buffer[], RegExp])[] = [
    [
      "an over-long frame",
      [encodeSnapshotFrame(offer), Buffer.from([0x7f, 0, 0, 0])],
      /a frame of 2130706432 bytes/,
    ],
    ["garbage", [Buffer.from([0, 0, 0, 3, 0xff, 0xff, 0xff])], /ends in the middle/],
    [
      "garbage after an offer",
      [encodeSnapshotFrame(offer), Buffer.from([0, 0, 0, 3, 0xff, 0xff, 0xff])],
      /ends in the middle/,
    ],
    ["a chunk that nobody asked for", [chunkOne], /before it was offered/],
    ["two offers", [encodeSnapshotFrame(offer), encodeSnapshotFrame(offer)], /a second offer/],
  ];
  for (const [name, frames, expected] of nonsense) {
    it(`ends with ${name}, and what was received stays for another one`, async () => {
      const both = await pair();
      const stranger = dial(both.b.address, here);
      stranger.hello([both.a.address, both.b.address], 0, 1, { purpose: "snapshot" });
      await stranger.frames.find(() => true);
      for (const frame of frames) stranger.socket.write(frame);
      await stranger.closed;
      const gaveUp = await both.b.log.find(({ msg }) => msg === "gave up a connection for a snapshot");
      assert.match(gaveUp.reason ?? "", expected);
      assert.deepEqual(await send(both, madeUp(3)).done, complete);
      assert.equal(both.shelf.open, 0);
      assert.equal(both.shelf.mostOpen, 1);
      await exchange(both.a, both.b, 1);
    });
  }

  it("ends when the other side does not wait for the answer to its greeting", async () => {
    const both = await pair();
    const stranger = dial(both.b.address, here);
    const ids = { clusterId, from: both.a.address.id, to: both.b.address.id };
    const nothing = {
      clientAddress: "",
      version: "",
      name: "",
      peerAddress: "",
      incarnation: 0n,
      history: 0n,
    };
    const rest = { protocolVersion, ...nothing };
    const hellos = (["snapshot", "member"] as const).map((purpose) =>
      encodeHello({ ...ids, ...rest, purpose }),
    );
    const from = both.b.log.items.length;
    stranger.socket.write(Buffer.concat(hellos));
    await stranger.closed;
    assert.equal(stranger.frames.items.length, 0);
    await exchange(both.a, both.b, 1);
    assert.ok(!both.b.log.items.slice(from).some(({ msg }) => msg === "peer connected"));
    assert.deepEqual(both.shelf.offers, []);
  });

  it("is refused with a header that is damaged, and with nothing heard for long", async () => {
    const both = await pair({ timing: { pingMs: 20, silenceMs: 300 } });
    const greeted = async () => {
      const stranger = dial(both.b.address, here);
      stranger.hello([both.a.address, both.b.address], 0, 1, { purpose: "snapshot" });
      await stranger.frames.find(() => true);
      return stranger;
    };
    const damaged = await greeted();
    damaged.socket.write(encodeSnapshotFrame({ ...offer, header: Buffer.alloc(100) }));
    const answer = decodeSnapshotAnswer(await damaged.frames.find((frame) => frame.length > 0, 1));
    assert.ok(answer.kind === "refused" && /checksum/.test(answer.reason));
    const silent = await greeted();
    silent.socket.write(encodeSnapshotFrame(offer));
    await silent.closed;
    assert.equal(both.shelf.open, 0);
  });

  it("is refused to somebody else's certificate, to strangers, and to the removed", async () => {
    const both = await pair();
    const elsewhere = await issue(["elsewhere.example"]);
    for (const [credentials, from] of [
      [elsewhere, 0],
      [here, 1],
    ] as const) {
      const stranger = dial(both.b.address, credentials);
      stranger.hello([both.a.address, both.b.address], from, 1, { purpose: "snapshot" });
      await stranger.closed;
    }
    both.b.transport.setPeers([], new Set([both.a.address.id]));
    const outcome = await send(both, madeUp(3)).done;
    assert.ok(outcome.kind === "refused" && /was removed from the cluster/.test(outcome.reason));
    assert.deepEqual(both.shelf.offers, []);
  });

  it("ends when its sender is removed", async () => {
    const both = await pair();
    both.shelf.onWrite = (number) => {
      if (number === 2) both.b.transport.setPeers([], new Set([both.a.address.id]));
      return Promise.resolve();
    };
    const outcome = await send(both, madeUp(50, 256 * 1024)).done;
    assert.ok(outcome.kind === "refused" && /was removed from the cluster/.test(outcome.reason));
    assert.equal(both.shelf.open, 0);
  });
});
