import assert from "node:assert/strict";
import { renameSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { type Credentials, createAuthority } from "@dkv/certificates";
import { decodeHelloReply } from "../../src/codec/handshake-codec.ts";
import { type Clock, systemClock } from "../../src/platform/clock.ts";
import { systemRandom } from "../../src/platform/random.ts";
import type { TlsPaths } from "../../src/platform/tls-files.ts";
import { trustGraceMs } from "../../src/platform/trust.ts";
import { createTcpTransport } from "../../src/transport/tcp-transport.ts";
import {
  addresses,
  atEnd,
  authority,
  clusterId,
  connected,
  dial,
  eventsOf,
  type Member,
  numbered,
  numbersFrom,
  portOf,
  recordingLogger,
  records,
  started,
  issue,
  tlsFiles,
} from "./fixture.ts";

const newAuthority = await createAuthority();
const [old, fresh] = [await issue(["localhost"]), await issue(["localhost"], newAuthority)];
const both: Credentials = { ...authority, certificate: authority.certificate + newAuthority.certificate };

function replace(path: string, content: string): void {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}

const changesOf = ({ log }: Pick<Member, "log">): number =>
  log.items.filter(({ msg }) => msg === "certificates changed; new connections use them").length;

/** Until the member has taken up what its files hold. */
async function change(one: Pick<Member, "log">, write: () => void): Promise<void> {
  const before = changesOf(one);
  write();
  await one.log.find(() => changesOf(one) > before);
}

describe("members whose CA is replaced", () => {
  it("make their connections anew in time, of which no frame that was taken takes notice", async () => {
    const all = await addresses(2);
    const files = [tlsFiles(both, old), tlsFiles(both, old)];
    const members = await Promise.all(files.map((tls, at) => started(all, at, { tls })));
    const [a, b] = members;
    assert.ok(a !== undefined && b !== undefined);
    await Promise.all([connected(a, b.address), connected(b, a.address)]);
    const taken: number[] = [];
    let next = 0;
    const cancel = systemClock.every(1, () => {
      next += 1;
      if (a.transport.send(b.address.id, numbered(next, 20_000))) taken.push(next);
    });
    const everywhere = (write: (paths: TlsPaths) => void): Promise<unknown> =>
      Promise.all(
        members.map((one, at) => {
          const paths = files[at] ?? assert.fail();
          return change(one, () => write(paths));
        }),
      );
    await everywhere(({ keyFile, certFile }) => {
      replace(keyFile, fresh.key);
      replace(certFile, fresh.certificate);
    });
    assert.equal(a.log.items.filter(({ msg }) => msg === "connected to peer").length, 1, "both CAs count");
    await everywhere(({ trustedCaFile = "" }) => {
      replace(trustedCaFile, newAuthority.certificate);
    });
    await Promise.all([connected(a, b.address, 2), connected(b, a.address, 2)]);
    const last = next;
    await b.arrivals.find(() => (numbersFrom(b, a.address).at(-1) ?? 0) > last);
    cancel();
    const arrived = numbersFrom(b, a.address);
    assert.deepEqual(arrived, taken.slice(0, arrived.length), "in order, and without a gap");
    for (const { log } of members)
      assert.equal(log.items.filter(({ msg }) => msg === "lost connection to peer").length, 0);
  });

  it("cut off who has not done so after some seconds, and nobody else", async () => {
    const all = await addresses(3);
    const files = tlsFiles(both, old);
    const { logger, log } = recordingLogger();
    const clock: Clock = {
      ...systemClock,
      every: (periodMs, callback) => systemClock.every(Math.min(periodMs, 20), callback),
      after: (delayMs, callback) => systemClock.after(delayMs === trustGraceMs ? 50 : delayMs, callback),
    };
    const [self, ...peers] = all;
    assert.ok(self !== undefined);
    const transport = createTcpTransport(
      {
        self: { id: self.id, name: self.name, clientAddress: "", incarnation: 1n },
        clusterId,
        listenAddresses: [{ host: "localhost", port: portOf(self) }],
        peers,
        tls: files,
        maxFrameBytes: 2 ** 20,
        history: () => 0n,
      },
      { clock, random: systemRandom, logger },
    );
    atEnd(() => transport.close());
    await transport.start(eventsOf(records()));
    const greeted = async (from: number, credentials: Credentials) => {
      const stranger = dial(self, { ...credentials });
      stranger.hello(all, from, 0);
      assert.equal(decodeHelloReply(await stranger.frames.find(() => true)).refusal, "");
      return stranger;
    };
    const [leaving, staying] = [await greeted(1, old), await greeted(2, fresh)];
    await change({ log }, () => {
      replace(files.trustedCaFile ?? "", newAuthority.certificate);
    });
    await leaving.closed;
    const reason = "the CA of its certificate is trusted no more";
    await log.find((line) => line.reason === reason);
    assert.equal(log.items.filter((line) => line.reason === reason).length, 1);
    assert.equal(staying.socket.destroyed, false);
  });
});
