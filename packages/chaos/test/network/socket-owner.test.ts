import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { it } from "node:test";
import { canTellOwners, ownerOf } from "../../src/platform/socket-owner.ts";

const skip = canTellOwners() ? false : "only Linux tells whose a connection is";

it("the kernel tells which process has dialled", { skip }, async (test) => {
  const server = createServer((socket) => socket.resume()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  assert.ok(bound !== null && typeof bound === "object");
  const socket = connect(bound.port, "127.0.0.1");
  test.after(() => {
    socket.destroy();
    server.close();
  });
  await once(socket, "connect");
  const port = socket.localPort ?? 0;
  const [here, elsewhere] = [
    { name: "here", pid: process.pid },
    { name: "parent", pid: process.ppid },
  ];
  assert.equal(await ownerOf(port, [elsewhere, here]), "here");
  assert.equal(await ownerOf(port, [elsewhere]), undefined);
  assert.equal(await ownerOf(1, [here]), undefined);
});
