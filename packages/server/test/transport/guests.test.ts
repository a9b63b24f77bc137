/** Members that do not know of each other yet, or whose configuration is older than their acquaintance. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { NodeId } from "@dkv/raft";
import type { TransportOptions } from "../../src/transport/options.ts";
import {
  addresses,
  authority,
  connected,
  dial,
  exchange,
  issue,
  type LogLine,
  type Member,
  numbered,
  numberIn,
  started,
  tlsFiles,
} from "./fixture.ts";

const here = await issue(["localhost"]);
const tls = tlsFiles(authority, here);
const nobody: ReadonlySet<NodeId> = new Set();
const isRefusal = ({ msg }: LogLine): boolean => msg === "refused a peer connection";

/** The first knows nobody, the second knows both. */
async function strangers(overrides: Partial<TransportOptions>): Promise<readonly [Member, Member]> {
  const all = await addresses(2);
  const [first, second] = all;
  assert.ok(first !== undefined && second !== undefined);
  const knows = await started(all, 0, { tls, peers: [], ...overrides });
  const finds = await started(all, 1, { tls, peers: [first] });
  finds.transport.setPeers(all, nobody);
  return [knows, finds];
}

describe("a member that follows nobody", () => {
  it("lets in one that it does not know, and answers it", async () => {
    const [lost, found] = await strangers({ isLost: () => true });
    await connected(found, lost.address);
    await connected(lost, found.address);
    await exchange(lost, found, 1);
    await exchange(found, lost, 2);
  });

  it("lets in nobody without a certificate for what it says it is", async () => {
    const all = await addresses(2);
    const lost = await started(all, 0, { tls, peers: [], isLost: () => true });
    const other = await issue(["elsewhere.example"]);
    const stranger = dial(lost.address, other);
    stranger.hello(all, 1, 0, { name: "dkv-1", peerAddress: all[1]?.peerAddress ?? assert.fail() });
    await stranger.closed;
    assert.match((await lost.log.find(isRefusal)).reason ?? "", /is not known to/);
    assert.deepEqual(lost.transport.peers(), []);
  });

  it("lets in nobody who does not say where it can be reached", async () => {
    const all = await addresses(2);
    const lost = await started(all, 0, { tls, peers: [], isLost: () => true });
    for (const peerAddress of ["", "nowhere"]) {
      const stranger = dial(lost.address, here);
      stranger.hello(all, 1, 0, { name: "dkv-1", peerAddress });
      await stranger.closed;
    }
    assert.deepEqual(lost.transport.peers(), []);
  });

  it("turns away one that was removed", async () => {
    const all = await addresses(2);
    const [first, second] = all;
    assert.ok(first !== undefined && second !== undefined);
    const lost = await started(all, 0, { tls, peers: [], isLost: () => true });
    lost.transport.setPeers([first], new Set([second.id]));
    const removed = await started(all, 1, { tls, peers: [first] });
    await removed.removals.find(() => true);
    assert.deepEqual(lost.transport.peers(), []);
  });
});

describe("a member that follows a leader", () => {
  it("turns away whom it does not know", async () => {
    const [, finds] = await strangers({ isLost: () => false });
    const line = await finds.log.find(({ msg }) => msg.startsWith("cannot reach peer"));
    assert.match(line.reason ?? "", /is not known to/);
  });
});

describe("a peer that an older configuration does not name", () => {
  it("is heard on, until it is removed", async () => {
    const all = await addresses(2);
    const [first, second] = all;
    assert.ok(first !== undefined && second !== undefined);
    const a = await started(all, 0, { tls, peers: [second] });
    const b = await started(all, 1, { tls, peers: [first] });
    await connected(a, b.address);
    await connected(b, a.address);
    a.transport.setPeers([first], nobody);
    await exchange(b, a, 1);
    await exchange(a, b, 2);
    a.transport.setPeers([first], new Set([second.id]));
    assert.equal(a.transport.send(second.id, numbered(3)), false);
    assert.equal(
      b.arrivals.items.some((arrival) => numberIn(arrival) === 3),
      false,
    );
  });
});
