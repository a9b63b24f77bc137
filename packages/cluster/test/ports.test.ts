import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, it } from "node:test";
import { freePorts, isFree } from "../src/platform/ports.ts";

describe("ports of this machine", () => {
  for (const host of ["127.0.0.1", "0.0.0.0"]) {
    it(`are taken while a process listens on ${host}`, async () => {
      const [port] = await freePorts(1);
      assert.ok(port !== undefined);
      const server = createServer().listen(port, host);
      await once(server, "listening");
      assert.equal(await isFree(port), false);
      server.close();
      await once(server, "close");
      assert.equal(await isFree(port), true);
    });
  }

  it("are given out all different, and none that an outgoing connection could get", async () => {
    const ports = await freePorts(20);
    assert.equal(new Set(ports).size, 20);
    assert.ok(ports.every((port) => port < 32_768));
  });

  it("are others each time, so that what was found and is not used yet is not found again", async () => {
    const [some, others] = await Promise.all([freePorts(10), freePorts(10)]);
    assert.equal(new Set([...some, ...others]).size, 20);
  });
});
