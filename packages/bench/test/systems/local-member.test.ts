import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { test, type TestContext } from "node:test";
import { LocalMember } from "../../src/systems/local-member.ts";
import { sleep } from "../../src/platform/clock.ts";

function member(context: TestContext, script: string): LocalMember {
  const made = new LocalMember({
    name: "m1",
    target: { host: "localhost", port: 1, ca: undefined },
    doors: {},
    peerAddress: "localhost:2",
    dataDir: tmpdir(),
    command: { program: process.execPath, args: ["-e", script], directory: tmpdir() },
  });
  context.after(() => made.kill());
  return made;
}

test("a member that was taken away is not missed, and can be brought back as another process", async (context) => {
  const made = member(context, "setInterval(() => {}, 1000)");
  await made.start();
  const { pid } = made;
  await made.kill();
  made.checkAlive();
  assert.deepEqual([made.isRunning, made.pid], [false, 0]);
  assert.throws(() => process.kill(pid, 0));
  await made.start();
  assert.notEqual(made.pid, pid);
});

test("a member that ended by itself is told of with what it printed last", async (context) => {
  const made = member(context, "console.log('the disk is full'); process.exit(3)");
  await made.start();
  const ended = async (): Promise<void> => {
    for (;;) {
      made.checkAlive();
      await sleep(5);
    }
  };
  await assert.rejects(ended(), /^Error: m1 ended with exit code 3:\nthe disk is full$/);
});
