import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { Member } from "../src/member.ts";
import { plainEnvironment } from "../src/platform/environment.ts";
import { freePorts } from "../src/platform/ports.ts";

const program = fileURLToPath(new URL("fixtures/program.ts", import.meta.url));

async function idleMember(test: TestContext): Promise<{ member: Member; lines: string[] }> {
  const [port] = await freePorts(1);
  const clientAddress = `localhost:${port}`;
  const lines: string[] = [];
  const member = new Member({
    plan: { name: "dkv-0", peerAddress: "localhost:1", clientAddress, dataDir: "." },
    flags: { name: "dkv-0", "listen-client-address": clientAddress },
    program,
    directory: ".",
    environment: plainEnvironment(),
    certificates: undefined,
    onLine: (_, line) => lines.push(line),
  });
  test.after(async () => {
    if (member.isRunning) await member.kill();
  });
  return { member, lines };
}

describe("a member", () => {
  it("is ready when it answers its clients, and ends well when it is stopped", async (test) => {
    const { member, lines } = await idleMember(test);
    member.start();
    await member.waitReady();
    assert.ok(member.pid !== undefined);
    assert.deepEqual(await member.stop(), { code: 0, signal: undefined });
    assert.equal(member.isRunning, false);
    assert.deepEqual(lines, ['{"msg":"up"}', '{"msg":"down"}']);
    assert.deepEqual(member.log, lines);
  });

  it("takes an environment for one life alone", async (test) => {
    const { member } = await idleMember(test);
    member.start({}, { NODE_OPTIONS: "--no-such-option" });
    assert.deepEqual(await member.waitForEnd(), { code: 9, signal: undefined });
    member.start();
    await member.waitReady();
  });

  it("can be killed and started again on the same address", async (test) => {
    const { member } = await idleMember(test);
    member.start();
    await member.waitReady();
    assert.deepEqual(await member.kill(), { code: undefined, signal: "SIGKILL" });
    member.start();
    await member.waitReady();
    assert.equal(member.log.length, 2);
  });

  it("does not answer while it is paused, and is stopped even then", async (test) => {
    const { member } = await idleMember(test);
    member.start();
    await member.waitReady();
    member.pause();
    assert.equal(await member.askJson("/"), undefined);
    member.resume();
    assert.deepEqual(await member.askJson("/"), { name: "dkv-0" });
    member.pause();
    assert.deepEqual(await member.stop(), { code: 0, signal: undefined });
  });

  it("that ends before it is ready says so, with its last words", async (test) => {
    const { member } = await idleMember(test);
    member.start({ fail: "no such directory" });
    await assert.rejects(member.waitReady(), {
      message: "dkv-0 ended with exit code 1",
      cause: { lastWords: ["dkv: no such directory"] },
    });
  });

  it("is waited for until it prints a line, and not for a line of an earlier life", async (test) => {
    const { member } = await idleMember(test);
    member.start();
    assert.equal(await member.waitForLine(/up/), '{"msg":"up"}');
    const [down] = await Promise.all([member.waitForLine(/down/), member.stop()]);
    assert.equal(down, '{"msg":"down"}');
    member.start();
    await member.waitReady();
    const ended = assert.rejects(member.waitForLine(/down/), /dkv-0 ended by SIGKILL/);
    await member.kill();
    await ended;
  });

  it("sees nothing in its environment that would configure it", async (test) => {
    process.env["DKV_NAME"] = "somebody";
    const { member } = await idleMember(test);
    member.start();
    await member.waitReady();
    assert.deepEqual(await member.askJson("/"), { name: "dkv-0" });
  });

  it("cannot be stopped when it does not run, nor started when it does", async (test) => {
    const { member } = await idleMember(test);
    await assert.rejects(member.stop(), /dkv-0 is not running/);
    member.start();
    assert.throws(() => {
      member.start();
    }, /dkv-0 is running already/);
  });
});
