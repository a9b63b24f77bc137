import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Config, readConfig } from "../../src/config/config.ts";
import { gatherValues } from "../../src/config/values.ts";
import { refusal } from "../launchers/refusal.ts";

async function configure(
  flags: readonly string[],
  environment: Record<string, string> = {},
): Promise<Config> {
  const line = await gatherValues(["--name=a", ...flags], environment, "1.2.3");
  assert.ok(line.kind === "run");
  return readConfig(line.values);
}

describe("the query interface", () => {
  it("is off unless asked for, and keeps the client port to this machine unless a host is named", async () => {
    const plain = await configure([]);
    assert.equal(plain.queryInterface, false);
    assert.deepEqual(plain.clientPorts[0].address, { host: undefined, port: 3000 });
    for (const config of [
      await configure(["--query-interface"]),
      await configure([], { DKV_QUERY_INTERFACE: "true" }),
    ]) {
      assert.equal(config.queryInterface, true);
      assert.deepEqual(config.clientPorts[0].address, { host: "127.0.0.1", port: 3000 });
      assert.equal(config.isClientPortKeptHere, true);
      assert.equal(config.advertiseClientAddress, "127.0.0.1:3000");
    }
    const open = await configure(["--query-interface", "--listen-client-address=0.0.0.0:3000"]);
    assert.equal(open.isClientPortKeptHere, false);
    assert.deepEqual(open.clientPorts[0].address, { host: "0.0.0.0", port: 3000 });
  });

  it("refuses a client port for everybody that nobody said it is to be served on", async () => {
    const asking = configure(["--query-interface", "--listen-client-address=:3000"]);
    await assert.rejects(
      asking,
      refusal(
        /^--listen-client-address is ":3000", .* write 127\.0\.0\.1:3000 .* or 0\.0\.0\.0:3000 for all$/,
      ),
    );
    const plain = await configure(["--listen-client-address=:3000"]);
    assert.deepEqual(plain.clientPorts[0].address, { host: undefined, port: 3000 });
  });
});
