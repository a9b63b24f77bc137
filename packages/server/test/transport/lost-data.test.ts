import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nodeId } from "@dkv/raft";
import { decodeHelloReply, encodeHelloReply } from "../../src/codec/handshake-codec.ts";
import type { PeerAddress } from "../../src/transport/options.ts";
import { addresses, authority, dial, impostor, issue, replyOf, started, tlsFiles } from "./fixture.ts";

const here = await issue(["localhost"]);
const tls = tlsFiles(authority, here);

describe("a member whose log is gone", () => {
  const who = (all: readonly PeerAddress[], hasStarted: boolean): PeerAddress => ({
    ...(all[1] ?? assert.fail()),
    hasStarted,
  });

  it("is refused by those who know that it had one, told so, and by nobody else", async () => {
    const all = await addresses(2);
    const tellings = [
      { hasStarted: true, isBlank: true, isRefused: true },
      { hasStarted: true, isBlank: false, isRefused: false },
      { hasStarted: false, isBlank: true, isRefused: false },
    ];
    for (const { hasStarted, isBlank, isRefused } of tellings) {
      const a = await started(all, 0, { tls, peers: [who(all, hasStarted)] });
      const stranger = dial(a.address, here);
      stranger.hello(all, 1, 0, { isBlank });
      const { dataLost, removed, refusal: words } = decodeHelloReply(await stranger.frames.find(() => true));
      assert.deepEqual({ dataLost, removed }, { dataLost: isRefused, removed: false });
      assert.equal(/dkv-2 is a voter .* its votes are lost with its data/.test(words), isRefused);
      await a.transport.close();
    }
  });

  it("learns that, and why, from the first that it dials", async () => {
    const all = await addresses(2);
    const a = await started(all, 0, { tls, peers: [who(all, true)] });
    const b = await started(all, 1, { tls, isBlank: () => true });
    assert.match(await b.losses.find(() => true), /its votes are lost with its data/);
    assert.equal(a.losses.items.length, 0);
  });

  it("believes it only while it has none, and only from whom it dialled", async () => {
    const honest = replyOf({ refusal: "lost", dataLost: true, from: nodeId(2n) });
    const cases = [
      { reply: honest, isBlank: false, isBelieved: false },
      { reply: { ...honest, clusterId: 0xbadn }, isBlank: true, isBelieved: false },
      { reply: { ...honest, from: nodeId(3n) }, isBlank: true, isBelieved: false },
      { reply: { ...honest, dataLost: false }, isBlank: true, isBelieved: false },
      { reply: honest, isBlank: true, isBelieved: true },
    ];
    for (const [position, { reply, isBlank, isBelieved }] of cases.entries()) {
      const all = await addresses(2);
      await impostor(all[1] ?? assert.fail(), here, (stranger) => {
        stranger.socket.end(encodeHelloReply(reply));
      });
      const a = await started(all, 0, { tls, isBlank: () => isBlank });
      await a.log.find(({ msg }) => msg === "cannot reach peer; trying again");
      assert.equal(a.losses.items.length > 0, isBelieved, `case ${String(position)}`);
      await a.transport.close();
    }
  });
});
