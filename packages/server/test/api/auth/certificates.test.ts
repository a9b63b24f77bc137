import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import net from "node:net";
import tls from "node:tls";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { createAuthority, type Credentials, issueCertificate } from "@dkv/certificates";
import { DkvAPI } from "@dkv/protocol/dkv/v1/dkv";
import { KV } from "@dkv/protocol/etcdserverpb/rpc";
import { pino } from "pino";
import { createGuard, defaultGuardOptions } from "../../../src/api/auth/create-guard.ts";
import { systemClock } from "../../../src/platform/clock.ts";
import { systemRandom } from "../../../src/platform/random.ts";
import { systemTimeOfDay } from "../../../src/platform/time-of-day.ts";
import type { TlsPaths } from "../../../src/platform/tls-files.ts";
import { createStreamListeners } from "../../../src/start/stream-listeners.ts";
import { openClientPort } from "../client-port.ts";
import { bytes, refusalOf } from "../etcd-client.ts";
import { MemberInMemory } from "../member-in-memory.ts";
import { StreamClient } from "../stream-port.ts";
import { allow, basic, enableRules } from "./rules.ts";

let directory = "";
let authority: Credentials;
let paths: TlsPaths;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "dkv-names-"));
  authority = await createAuthority();
  const server = await issueCertificate(authority, {
    commonName: "localhost",
    hosts: ["localhost", "127.0.0.1"],
    usages: ["serverAuth"],
  });
  const write = async (name: string, text: string): Promise<string> => {
    await writeFile(join(directory, name), text);
    return join(directory, name);
  };
  paths = {
    certFile: await write("server.pem", server.certificate),
    keyFile: await write("server-key.pem", server.key),
    trustedCaFile: await write("ca.pem", authority.certificate),
  };
});
after(() => rm(directory, { recursive: true }));

/** What somebody of that name connects with. */
async function optionsOf(commonName: string): Promise<{ ca: string; cert: string; key: string }> {
  const { certificate, key } = await issueCertificate(authority, {
    commonName,
    hosts: [],
    usages: ["clientAuth"],
  });
  return { ca: authority.certificate, cert: certificate, key };
}

describe("the common name of a client's certificate", () => {
  it("names the user, whatever the protocol; a token or a password wins", async (t) => {
    const { member, url } = await openClientPort(t, { tls: paths });
    await enableRules(member);
    await allow(member, "poor", { kind: "both", key: "a" });
    const nodeOptions = await optionsOf("poor");
    for (const transport of [
      createGrpcTransport({ baseUrl: url, nodeOptions }),
      createConnectTransport({ baseUrl: url, nodeOptions, httpVersion: "2" }),
      createConnectTransport({ baseUrl: url, nodeOptions, httpVersion: "1.1", useBinaryFormat: false }),
    ]) {
      const [kv, dkv] = [createClient(KV, transport), createClient(DkvAPI, transport)];
      await kv.put({ key: bytes("a") });
      await dkv.set({ key: "a", value: bytes("b") });
      assert.equal(
        await refusalOf(kv.put({ key: bytes("b") })),
        "PermissionDenied: etcdserver: permission denied",
      );
      const asRoot = { headers: basic("root") };
      await kv.put({ key: bytes("b") }, asRoot);
      const wrong = { headers: { token: "abc.1" } };
      assert.equal(
        await refusalOf(kv.put({ key: bytes("a") }, wrong)),
        "Unauthenticated: etcdserver: invalid auth token",
      );
    }
  });

  it("that no user has names nobody", async (t) => {
    const { member, url } = await openClientPort(t, { tls: paths });
    await enableRules(member);
    const kv = createClient(
      KV,
      createGrpcTransport({ baseUrl: url, nodeOptions: await optionsOf("stranger") }),
    );
    assert.equal(
      await refusalOf(kv.put({ key: bytes("a") })),
      "PermissionDenied: etcdserver: permission denied",
    );
  });
});

const words = {
  text: {
    set: "set a 0 1\r\n1\r\n",
    done: (answer: string) => /^OK \d+\r\n$/.test(answer),
    refused: "ERR_INTERNAL\r\n",
  },
  binary: {
    set: "\x01\x01\0\0\0a\x01\0\0\0v\0\0\0\0",
    done: (answer: string) => answer === "\x01",
    refused: "\x02",
  },
} as const;

const reads = {
  text: { get: "get a\r\n", refused: "ERR_INTERNAL\r\n" },
  binary: { get: "\x02\x01\0\0\0a", refused: "\x02\0\0\0\0" },
} as const;

const joins = { text: undefined, binary: "\x04\x01\0\0\0x\x0b\0\0\0localhost:1" } as const;

describe("a protocol without credentials", () => {
  async function openBoth(t: TestContext, clientTls: TlsPaths | undefined) {
    const member = new MemberInMemory();
    const world = { clock: systemClock, random: systemRandom, timeOfDay: systemTimeOfDay };
    const guard = createGuard(member, defaultGuardOptions, world);
    const anywhere = { host: "127.0.0.1", port: 0 };
    const asked = {
      text: { listenAddress: anywhere, isForwarded: false },
      listenBinaryAddress: anywhere,
      clientTls,
      maxRequestBytes: 1000,
    };
    const logger = pino({ level: "silent" });
    const [text, binary] = createStreamListeners(asked, guard, { clock: systemClock, logger });
    assert.ok(text !== undefined && binary !== undefined);
    for (const listener of [text, binary]) {
      await listener.start();
      t.after(() => listener.close(0));
    }
    return { member, ports: { text: text.port, binary: binary.port } };
  }

  async function answerTo(sent: string, options: tls.ConnectionOptions): Promise<string> {
    const socket = tls.connect({ host: "127.0.0.1", ...options });
    await once(socket, "secureConnect");
    const client = new StreamClient(socket);
    client.send(sent);
    client.end();
    return (await client.rest()).toString("latin1");
  }

  for (const protocol of ["text", "binary"] as const) {
    it(`${protocol}: serves whom a certificate names, as far as that user may go`, async (t) => {
      const { member, ports } = await openBoth(t, paths);
      const { set, done, refused } = words[protocol];
      const port = ports[protocol];
      const [poor, root] = [await optionsOf("poor"), await optionsOf("root")];
      assert.ok(done(await answerTo(set, { port, ...poor })));
      await enableRules(member);
      assert.ok(done(await answerTo(set.replace("a", "b"), { port, ...root })));
      const { get, refused: unread } = reads[protocol];
      assert.equal(await answerTo(set, { port, ...poor }), refused);
      assert.equal(await answerTo(get, { port, ...poor }), unread);
      await allow(member, "poor", { kind: "both", key: "a" });
      assert.notEqual(await answerTo(get, { port, ...poor }), unread);
      const join = joins[protocol];
      if (join !== undefined) {
        assert.equal(await answerTo(join, { port, ...poor }), refused);
        assert.deepEqual(member.changes, []);
        assert.ok(done(await answerTo(join, { port, ...root })));
      }
    });

    it(`${protocol}: refuses everybody in clear, and those who were there before the rules`, async (t) => {
      const { member, ports } = await openBoth(t, undefined);

      const socket = net.connect({ host: "127.0.0.1", port: ports[protocol] });
      await once(socket, "connect");
      t.after(() => socket.destroy());
      const client = new StreamClient(socket);
      const { set, done, refused } = words[protocol];
      const next = (): Promise<Buffer> =>
        protocol === "text" ? client.lines(1).then((line) => Buffer.from(line, "latin1")) : client.bytes(1);
      client.send(set);
      assert.ok(done((await next()).toString("latin1")));
      await enableRules(member);
      client.send(set.replace("a", "b"));
      assert.equal((await next()).toString("latin1"), refused);
      client.send(reads[protocol].get);
      const expected = reads[protocol].refused;
      assert.equal((await client.bytes(expected.length)).toString("latin1"), expected);
    });
  }
});
