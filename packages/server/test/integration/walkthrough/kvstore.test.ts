/** What is shown and tried of the system with the text protocol: its commands, then the steps of its tester. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { Shell, type Started } from "./shell.ts";

const servers = [0, 1, 2, 3, 4].map((id) => ({
  Id: id,
  Hostname: "localhost",
  ClientPort: 9000 + id,
  LogPort: 9050 + id,
}));

/** Sends a command, and what the old tester sends behind each, on a connection of its own. */
async function ask(id: number, command: string, lines = 1): Promise<string> {
  const socket = net.connect(9000 + id, "localhost");
  try {
    await once(socket, "connect");
    socket.write(`${command}\r\n\r\n`);
    let reply = "";
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      reply += chunk.toString("latin1");
      if (reply.split("\r\n").length > lines) return reply;
    }
    return assert.fail(`server ${String(id)} ended the connection behind ${reply}`);
  } finally {
    socket.destroy();
  }
}

/** The cluster as its tester drives it. */
class Tester {
  readonly running = new Map<number, Started>();
  readonly #shell: Shell;

  constructor(test: TestContext) {
    this.#shell = new Shell(test);
    this.#shell.install("kvstore", "kvstore");
    const config = { Path: "/tmp/", Servers: servers };
    writeFileSync(join(this.#shell.directory, "config.json"), JSON.stringify(config));
  }

  async start(...ids: readonly number[]): Promise<void> {
    const started = ids.map((id) => [id, this.#shell.start(`./kvstore ${String(id)}`)] as const);
    for (const [id, server] of started) this.running.set(id, server);
    await Promise.all(started.map(([, server]) => server.ready()));
  }

  async kill(id: number): Promise<void> {
    await this.running.get(id)?.ends("SIGKILL");
    this.running.delete(id);
  }

  /** Asks for a key that is not there, and goes where it is sent. */
  async leader(): Promise<number> {
    for (;;) {
      for (let id: number | undefined = this.running.keys().next().value; id !== undefined; ) {
        const reply = await ask(id, "get nothing");
        if (reply === "ERR_NOT_FOUND\r\n") return id;
        const [, named] = /^REDIRECT (\d+)\r\n$/.exec(reply) ?? [];
        id = named !== undefined && this.running.has(Number(named)) ? Number(named) : undefined;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

describe("the walkthrough with kvstore", { timeout: 180_000 }, () => {
  it("answers each command as its page says, and keeps what was set over the deaths of leaders", async (test) => {
    const tester = new Tester(test);
    await tester.start(0, 1, 2);
    await tester.running.get(0)?.prints(/ready for clients.*"text":"localhost:9000"/);
    const first = await tester.leader();
    for (const follower of tester.running.keys())
      if (follower !== first) assert.equal(await ask(follower, "get k"), `REDIRECT ${String(first)}\r\n`);
    const answered = await ask(first, "set k 0 5\r\nhello");
    const version = /^OK (\d+)\r\n$/.exec(answered)?.[1] ?? assert.fail(answered);
    const next = String(Number(version) + 1);
    for (const [command, reply] of [
      ["set k 0 5\r\nagain", "ERR_VERSION\r\n"],
      ["get k", "VALUE 5\r\nhello\r\n"],
      ["getm k", `VALUE ${version} 0 5\r\nhello\r\n`],
      ["cas k 30 99999 3\r\nabc", "ERR_VERSION\r\n"],
      [`cas k 30 ${version} 3\r\nabc`, `OK ${next}\r\n`],
      ["getm k", `VALUE ${next} 30 3\r\nabc\r\n`],
      ["cas nothing 0 1 3\r\nabc", "ERR_NOT_FOUND\r\n"],
      ["delete k", "DELETED\r\n"],
      ["delete k", "ERR_NOT_FOUND\r\n"],
      ["get k", "ERR_NOT_FOUND\r\n"],
      ["fetch k", "ERR_CMD_ERR\r\n"],
    ] as const)
      assert.equal(await ask(first, command, reply.split("\r\n").length - 1), reply, command);

    // The fourth server is new when the leader has died, and the fifth when twenty keys are to be kept.
    assert.match(await ask(first, "set kept 0 5\r\nvalue"), /^OK \d+\r\n$/);
    await tester.kill(first);
    await tester.start(first, 3);
    assert.equal(await ask(await tester.leader(), "get kept", 2), "VALUE 5\r\nvalue\r\n");
    await tester.start(4);
    const keys = Array.from({ length: 20 }, (_, at) => `key${String(at)}`);
    const setter = await tester.leader();
    for (const key of keys) assert.match(await ask(setter, `set ${key} 0 10\r\n0123456789`), /^OK \d+\r\n$/);
    for (const half of [keys.slice(0, 10), keys.slice(10)]) {
      const killed = await tester.leader();
      await tester.kill(killed);
      await tester.start(killed);
      const leader = await tester.leader();
      for (const key of half) assert.equal(await ask(leader, `get ${key}`, 2), "VALUE 10\r\n0123456789\r\n");
    }
  });
});
