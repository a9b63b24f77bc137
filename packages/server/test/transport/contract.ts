/** What every peer transport on sockets owes, in clear or with TLS. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Credentials } from "@dkv/certificates";
import { decodeHelloReply, encodeHelloReply } from "../../src/codec/handshake-codec.ts";
import { encodeFrame } from "../../src/codec/raft-encoder.ts";
import { StartupError } from "../../src/platform/startup-error.ts";
import type { TransportOptions } from "../../src/transport/options.ts";
import { version } from "../../src/version.ts";
import {
  addresses,
  connected,
  dial,
  exchange,
  impostor,
  member,
  numbered,
  numberIn,
  numbersFrom,
  replyOf,
  start,
  started,
  type Stranger,
} from "./fixture.ts";

export interface ContractOptions {
  /** What members get on top of the usual. */
  readonly overrides: Partial<TransportOptions>;
  /** What a stranger needs to come as far as the greeting. */
  readonly credentials: Credentials | undefined;
}

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, position) => position);
const welcome = encodeHelloReply(replyOf());
const [refusalMessage, reasonOf] = [
  "refused a peer connection",
  ({ reason = "" }: { reason?: string }) => reason,
];

export function peerTransportContract(name: string, { overrides, credentials }: ContractOptions): void {
  const pair = async (more: Partial<TransportOptions> = {}) => {
    const all = await addresses(3);
    const [a, b] = [
      await started(all, 0, { ...overrides, ...more }),
      await started(all, 1, { ...overrides, ...more }),
    ];
    await connected(a, b.address);
    await connected(b, a.address);
    return { all, a, b };
  };

  describe(`members ${name}`, () => {
    it("receive what is sent, in order, whole, in both directions at once", async () => {
      const { a, b } = await pair();
      const sizes = [4, 100, 70_000, 2_000_000];
      for (const value of range(400)) {
        a.transport.send(b.address.id, numbered(value, value % 50 === 0 ? sizes[(value / 50) % 4] : 20));
        b.transport.send(a.address.id, numbered(value));
        // Queues are bounded, and all this would not fit at once.
        if (value % 50 === 0) await b.arrivals.find((arrival) => numberIn(arrival) === value);
      }
      await Promise.all([a, b].map((one) => one.arrivals.find((arrival) => numberIn(arrival) === 399)));
      assert.deepEqual(numbersFrom(b, a.address), range(400));
      assert.deepEqual(numbersFrom(a, b.address), range(400));
      assert.ok(b.arrivals.items.some(({ frame }) => frame.forwarded[0]?.length === 2_000_000));
    });

    it("know who can be heard, where clients reach it, and which version it runs", async () => {
      const { all, a, b } = await pair();
      const heard = () =>
        a.transport.peers().map(({ id, clientAddress, version: heardVersion, lastHeardMs }) => ({
          id,
          clientAddress,
          version: heardVersion,
          isHeard: lastHeardMs !== undefined,
        }));
      assert.deepEqual(heard(), [
        { id: b.address.id, clientAddress: "dkv-2:3000", version, isHeard: true },
        { id: all[2]?.id, clientAddress: "", version: "", isHeard: false },
      ]);
      const before = a.transport.peers()[0]?.lastHeardMs ?? 0;
      // Nobody sends anything, and yet each knows that the other lives.
      await new Promise((resolve) => setTimeout(resolve, 150));
      assert.ok((a.transport.peers()[0]?.lastHeardMs ?? 0) > before);
      assert.equal(a.arrivals.items.length, 0);
    });

    it("find each other again after a restart", async () => {
      const { all, a, b } = await pair();
      await exchange(a, b, 1);
      await b.transport.close();
      await a.log.find(({ msg }) => msg === "lost connection to peer");
      assert.equal(a.transport.send(b.address.id, numbered(2)), false);
      const again = await started(all, 1, overrides);
      await connected(a, b.address, 2);
      await connected(again, a.address);
      await exchange(a, again, 3);
      await exchange(again, a, 4);
      assert.deepEqual(numbersFrom(again, a.address), [3]);
    });

    it("dial a member at once when it dials them, however long they would have waited", async () => {
      const all = await addresses(2);
      const patient = { ...overrides, timing: { pingMs: 20, backoff: { firstMs: 60_000, maxMs: 60_000 } } };
      const a = await started(all, 0, patient);
      await a.log.find(({ msg }) => msg === "cannot reach peer; trying again");
      const b = await started(all, 1, patient);
      await connected(b, a.address);
      await connected(a, b.address);
      await exchange(a, b, 1);
    });

    it("are not delayed by one that does not read, and do not remember what it misses", async () => {
      const all = await addresses(3);
      const [, , third] = all;
      assert.ok(third !== undefined);
      const { promise: deaf, resolve } = Promise.withResolvers<Stranger>();
      await impostor(third, credentials, (stranger) => {
        stranger.socket.write(welcome);
        stranger.frames
          .find(() => true)
          .then(
            () => {
              stranger.socket.pause();
              resolve(stranger);
            },
            () => undefined,
          );
      });
      const bounded = { ...overrides, maxQueueBytes: 3 * 2 ** 20, timing: { pingMs: 20, silenceMs: 60_000 } };
      const [a, b] = [await started(all, 0, bounded), await started(all, 1, bounded)];
      await connected(a, b.address);
      await connected(a, third);
      const stranger = await deaf;
      const taken = range(100).filter((value) => a.transport.send(third.id, numbered(value, 2 ** 20))).length;
      assert.ok(taken >= 1 && taken < 30, `${String(taken)} of 100 frames were taken`);
      await exchange(a, b, 1);
      assert.equal(
        (await a.log.find(({ msg }) => msg === "dropped a frame to peer")).reason,
        "its queue is full",
      );
      stranger.socket.resume();
      a.transport.send(third.id, numbered(0));
      await stranger.frames.find((frame) => frame.length > 2 ** 20);
      await new Promise((done) => setTimeout(done, 200));
      const kept = stranger.frames.items.filter((frame) => frame.length > 2 ** 20).length;
      assert.ok(kept >= 1 && kept < 30, `${String(kept)} of 100 frames were kept`);
    });

    it("do not send what others would not accept", async () => {
      const { a, b } = await pair({ maxFrameBytes: 1000 });
      assert.equal(a.transport.send(b.address.id, numbered(1, 1001)), false);
      assert.equal(a.transport.send(b.address.id, numbered(1, 100)), true);
      assert.equal(
        (await a.log.find(({ msg }) => msg === "dropped a frame to peer")).reason,
        "a frame is too long",
      );
      await exchange(a, b, 2);
      assert.deepEqual(numbersFrom(b, a.address), [1, 2]);
    });

    it("cut off a peer that sends an over-long frame or garbage, and go on with the others", async () => {
      const { all, a, b } = await pair();
      const nonsense = Buffer.from([0, 0, 0, 3, 0xff, 0xff, 0xff]);
      for (const [bytes, reason] of [
        [Buffer.from([0x7f, 0, 0, 0]), /a frame of 2130706432 bytes/],
        [nonsense, /ends in the middle/],
      ] as const) {
        const from = a.log.items.length;
        const stranger = dial(all[0] ?? assert.fail(), credentials);
        stranger.hello(all, 2, 0);
        assert.equal(decodeHelloReply(await stranger.frames.find(() => true)).refusal, "");
        stranger.socket.write(bytes);
        await stranger.closed;
        assert.match(reasonOf(await a.log.find(({ msg }) => msg === "peer disconnected", from)), reason);
        await exchange(b, a, 1);
      }
      assert.equal(a.log.items.filter(({ msg }) => msg === "lost connection to peer").length, 0);
    });

    it("give up a peer that answers with garbage, and dial it again", async () => {
      const all = await addresses(2);
      const [, second] = all;
      assert.ok(second !== undefined);
      let dials = 0;
      await impostor(second, credentials, (stranger) => {
        dials += 1;
        stranger.socket.write(dials === 1 ? Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n") : welcome);
        if (dials === 2) stranger.socket.write(Buffer.from([0, 0, 0, 1, 0]));
      });
      const a = await started(all, 0, overrides);
      assert.match(
        reasonOf(await a.log.find(({ msg }) => msg === "cannot reach peer; trying again")),
        /a frame of 1213486160 bytes/,
      );
      assert.match(
        reasonOf(await a.log.find(({ msg }) => msg === "lost connection to peer")),
        /only signs of life/,
      );
      await connected(a, second, 2);
    });

    it("refuse a greeting that is none, or somebody else's, and say why", async () => {
      const { all, a, b } = await pair();
      const attempts = [
        [
          { clusterId: 0xbadn },
          /member of cluster 0000000000000bad, where dkv-1 is one of 00000000000000c1: .*-state=existing$/,
        ],
        [{ to: b.address.id }, /looking for member 0000000000000002, where dkv-1 is 0000000000000001/],
        [{ from: a.address.id }, /member 0000000000000001 is not known/],
        [{ protocolVersion: 99 }, /protocol version 99/],
      ] as const;
      for (const [mistake, reason] of attempts) {
        const from = a.log.items.length;
        const stranger = dial(a.address, credentials);
        stranger.hello(all, 2, 0, mistake);
        assert.match(decodeHelloReply(await stranger.frames.find(() => true)).refusal, reason);
        await stranger.closed;
        assert.match(reasonOf(await a.log.find(({ msg }) => msg === refusalMessage, from)), reason);
      }
      for (const bytes of [
        Buffer.from("GET / HTTP/1.1\r\n\r\n"),
        Buffer.from([0, 0, 16, 1]),
        Buffer.from([0, 0, 0, 2, 0xff, 0xff]),
      ]) {
        const stranger = dial(a.address, credentials);
        stranger.socket.write(bytes);
        await stranger.closed;
      }
      await exchange(b, a, 1);
    });

    it("tell a refused peer why, in its own log", async () => {
      const all = await addresses(2);
      const a = await started(all, 0, overrides);
      const b = await started(all, 1, { ...overrides, clusterId: 0xbadn });
      for (const { log } of [a, b]) {
        await log.find(
          ({ msg, reason }) =>
            msg === "cannot reach peer; trying again" &&
            reason?.startsWith("it refused us: member of cluster") === true,
        );
      }
      assert.equal(a.arrivals.items.length + b.arrivals.items.length, 0);
    });

    it("close connections that do not greet in time", async () => {
      const { a, b } = await pair({ timing: { handshakeMs: 1000, pingMs: 20 } });
      const [silent, slow] = [dial(a.address), dial(a.address, credentials)];
      slow.socket.write(Buffer.from([0, 0]));
      await Promise.all([silent.closed, slow.closed]);
      assert.match(
        reasonOf(await a.log.find(({ msg }) => msg === refusalMessage)),
        /no greeting within 1000 ms/,
      );
      await exchange(b, a, 1);
    });

    it("stay reachable for peers while strangers hold many connections open", async () => {
      const all = await addresses(2);
      const slow = { ...overrides, timing: { handshakeMs: 60_000, pingMs: 20 } };
      const a = await started(all, 0, slow);
      const strangers = range(80).map(() => dial(a.address));
      await Promise.race(strangers.map(({ closed }) => closed));
      const b = await started(all, 1, slow);
      await connected(b, a.address);
      await exchange(b, a, 1);
      assert.match(reasonOf(await a.log.find(({ msg }) => msg === refusalMessage)), /too many connections/);
      assert.equal(
        a.log.items.filter(({ msg }) => msg === refusalMessage).length,
        1,
        "the rest goes without saying",
      );
    });

    it("give up a connection on which nothing comes back", async () => {
      const all = await addresses(2);
      const [, second] = all;
      assert.ok(second !== undefined);
      await impostor(second, credentials, ({ socket }) => socket.write(welcome));
      const a = await started(all, 0, {
        ...overrides,
        timing: { pingMs: 20, silenceMs: 200, backoff: { firstMs: 5, maxMs: 20 } },
      });
      assert.match(
        reasonOf(await a.log.find(({ msg }) => msg === "lost connection to peer")),
        /no answer for 200 ms/,
      );
      const stranger = dial(a.address, credentials);
      stranger.hello(all, 1, 0);
      await stranger.closed;
      assert.match(
        reasonOf(await a.log.find(({ msg }) => msg === "peer disconnected")),
        /nothing heard for 200 ms/,
      );
    });

    it("believe the newer of two connections from one peer", async () => {
      const all = await addresses(2);
      const a = await started(all, 0, overrides);
      const strangers = [dial(a.address, credentials), dial(a.address, credentials)] as const;
      for (const stranger of strangers) {
        stranger.hello(all, 1, 0);
        assert.equal(decodeHelloReply(await stranger.frames.find(() => true)).refusal, "");
      }
      const [older, newer] = strangers;
      await older.closed;
      newer.socket.write(encodeFrame(numbered(7)));
      await a.arrivals.find((arrival) => numberIn(arrival) === 7);
    });

    it("say in one line that an address is taken", async () => {
      const { all } = await pair();
      const late = member(all, 0, overrides);
      await assert.rejects(start(late), (error) => {
        assert.ok(error instanceof StartupError && error.kind === "environment");
        assert.match(error.message, /^cannot listen for peers on localhost:\d+: the address is taken;/);
        return true;
      });
    });

    it("say nothing more once they are closed", async () => {
      const { a, b } = await pair();
      const lines = b.log.items.length;
      await b.transport.close();
      await b.transport.close();
      b.transport.send(a.address.id, numbered(1));
      await a.log.find(({ msg }) => msg === "lost connection to peer");
      assert.equal(b.log.items.length, lines);
    });
  });
}
