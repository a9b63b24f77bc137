import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { describe, it } from "node:test";
import { joinThrough } from "../../src/launchers/join-through.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { DkvError } from "../../src/platform/errors.ts";
import { openClientPort } from "../api/client-port.ts";
import { refusal } from "./refusal.ts";

const joining = { name: "node2", peerAddress: "127.0.0.1:1112" };

/** Waits as long as it must and not a moment longer, after `meanwhile`. */
function deps(said: string[], meanwhile: () => void = () => undefined) {
  const clock = {
    ...systemClock,
    after: (_: number, callback: () => void) => {
      meanwhile();
      return systemClock.after(0, callback);
    },
  };
  return { environment: {}, clock, say: (line: string) => said.push(line) };
}

describe("joining through a member", () => {
  it("has the cluster add this one, and tells who is in it", async (t) => {
    const { port, member } = await openClientPort(t, { queryInterface: true });
    const address = `127.0.0.1:${String(port)}`;
    assert.equal(await joinThrough(address, joining, deps([])), "one=localhost:2380");
    const unnamed = { ...joining, name: joining.peerAddress };
    assert.equal(await joinThrough(`http://${address}`, unnamed, deps([])), "one=localhost:2380");
    assert.deepEqual(member.changes, [
      { kind: "join", name: "node2", peerAddress: "127.0.0.1:1112" },
      { kind: "join", name: "127.0.0.1:1112", peerAddress: "127.0.0.1:1112" },
    ]);
  });

  it("waits until somebody agrees, and says why once", async (t) => {
    const { port, member } = await openClientPort(t, { queryInterface: true });
    member.failure = new DkvError("noLeader", "there is no leader");
    const said: string[] = [];
    let asked = 0;
    const meanwhile = (): void => {
      asked += 1;
      if (asked === 3) member.failure = undefined;
    };
    await joinThrough(`127.0.0.1:${String(port)}`, joining, deps(said, meanwhile));
    assert.deepEqual(said, [`waiting to join through 127.0.0.1:${String(port)}: there is no leader`]);
  });

  it("waits for one that does not listen yet", async (t) => {
    const server = net.createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as net.AddressInfo;
    server.close();
    await once(server, "close");
    const said: string[] = [];
    const stopped = new Error("enough");
    const meanwhile = (): void => {
      throw stopped;
    };
    await assert.rejects(joinThrough(`127.0.0.1:${String(port)}`, joining, deps(said, meanwhile)), stopped);
    assert.match(said[0] ?? "", /ECONNREFUSED/);
    t.diagnostic(said[0] ?? "");
  });

  it("gives up when asking again cannot help", async (t) => {
    const { port, member } = await openClientPort(t, { queryInterface: true });
    member.failure = new DkvError("memberExists", "node2 is a member at localhost:1");
    const refused = joinThrough(`127.0.0.1:${String(port)}`, joining, deps([]));
    await assert.rejects(refused, refusal(/does not let node2 join: node2 is a member at/, "environment"));
    const without = await openClientPort(t);
    const nothingThere = joinThrough(`127.0.0.1:${String(without.port)}`, joining, deps([]));
    await assert.rejects(nothingThere, refusal(/nothing is served at this path/, "environment"));
  });
});
