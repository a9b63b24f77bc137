import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { describe, it, type TestContext } from "node:test";
import { type Callers, checkAddresses, checkApart, type Listening } from "../../src/platform/listening.ts";
import { refusal } from "../launchers/refusal.ts";

const at = (callers: Callers, host: string | undefined, port: number): Listening => ({
  callers,
  address: { host, port },
});

async function takenPort(test: TestContext): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  test.after(() => {
    server.close();
  });
  return (server.address() as net.AddressInfo).port;
}

describe("the addresses of a member", () => {
  it("are refused where two are plainly one, by the flags that say so", () => {
    const text = at("clients of the text protocol", "localhost", 9000);
    assert.throws(
      () => {
        checkApart([at("peers", "localhost", 9000), at("clients", undefined, 3000), text]);
      },
      refusal(
        /^--listen-text-address and --listen-peer-address are both localhost:9000: clients of the text protocol and peers need/,
      ),
    );
    for (const every of [undefined, "::"])
      assert.throws(
        () => {
          checkApart([at("clients", every, 9000), text]);
        },
        refusal(
          /^--listen-text-address and --listen-client-address are localhost:9000 and .*:9000, which is/,
        ),
      );
    const named = { ...text, address: { ...text.address, setBy: "ClientPort" } };
    assert.throws(
      () => {
        checkApart([text, named]);
      },
      refusal(/^ClientPort and --listen-text-address are both/),
    );
  });

  it("may have the same host, or the same port of different ones, or ports that the system chooses", () => {
    checkApart([at("peers", "localhost", 1), at("clients", "localhost", 2)]);
    checkApart([at("peers", "10.0.0.1", 1), at("clients", "10.0.0.2", 1)]);
    checkApart([at("peers", "localhost", 0), at("clients", "localhost", 0), at("clients", undefined, 0)]);
  });

  it("are all had at once, and left again", async () => {
    const both = [at("peers", "127.0.0.1", 0), at("clients", "127.0.0.1", 0)];
    await checkAddresses(both);
    const server = net.createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as net.AddressInfo;
    server.close();
    await once(server, "close");
    const one = [at("peers", "127.0.0.1", port)];
    await checkAddresses(one);
    await checkAddresses(one);
    await assert.rejects(
      checkAddresses([...one, at("clients", "0.0.0.0", port)]),
      refusal(/^--listen-client-address and --listen-peer-address are 0\.0\.0\.0:\d+ and 127\.0\.0\.1:\d+/),
    );
    await checkAddresses(one);
  });

  it("are named by what sets them where one is taken", async (test) => {
    const port = await takenPort(test);
    const taken = at("clients of the binary protocol", "127.0.0.1", port);
    const free = at("peers", "127.0.0.1", 0);
    await assert.rejects(
      checkAddresses([free, taken]),
      refusal(
        /binary protocol on 127\.0\.0\.1:\d+: .*is taken; .*another --listen-binary-add/,
        "environment",
      ),
    );
    const named = { ...taken, address: { ...taken.address, setBy: "$SERVER_PORT" } };
    await assert.rejects(
      checkAddresses([free, named]),
      refusal(/choose another \$SERVER_PORT$/, "environment"),
    );
  });
});
