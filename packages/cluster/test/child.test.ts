import assert from "node:assert/strict";
import { once } from "node:events";
import { spawn } from "node:child_process";
import { createServer, type Socket } from "node:net";
import { describe, it } from "node:test";
import { describeEnding, startChild } from "../src/platform/child.ts";

const childModule = new URL("../src/platform/child.ts", import.meta.url).href;

function startScript(script: string) {
  const lines: string[] = [];
  const { promise: printed, resolve } = Promise.withResolvers<void>();
  const child = startChild({
    program: process.execPath,
    args: ["--eval", script],
    directory: ".",
    environment: process.env,
    onLine: (line) => {
      lines.push(line);
      resolve();
    },
  });
  return { child, lines, printed };
}

describe("a child process", () => {
  it("hands on each line of output and error before its end is told", async () => {
    const { child, lines } = startScript(
      'console.log("one\\ntwo"); console.error("three"); process.exitCode = 3',
    );
    assert.deepEqual(await child.ended, { code: 3, signal: undefined });
    assert.deepEqual(lines.sort(byName), ["one", "three", "two"]);
  });

  it("is ended by a signal, and says which", async () => {
    const { child, printed } = startScript('console.log("up"); setInterval(() => {}, 1000)');
    await printed;
    child.signal("SIGTERM");
    assert.equal(describeEnding(await child.ended), "by SIGTERM");
  });

  it("that cannot be started says what", async () => {
    const onLine = (): void => undefined;
    const child = startChild({
      program: "/no/such/program",
      args: [],
      directory: ".",
      environment: {},
      onLine,
    });
    await assert.rejects(child.ended, /\/no\/such\/program cannot be started/);
  });

  // The reason for wardens: neither signal handlers nor exit hooks run when a process is killed.
  it("dies with its parent, even one that is killed while the child stands still", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    assert.ok(typeof address === "object" && address !== null);
    const parent = spawn(process.execPath, [
      "--input-type=module",
      "--eval",
      parentScript,
      String(address.port),
    ]);
    const [connection] = (await once(server, "connection")) as [Socket];
    const [pid] = (await once(connection, "data")) as [Buffer];
    process.kill(Number(pid.toString()), "SIGSTOP");
    const childIsGone = once(connection, "close");
    parent.kill("SIGKILL");
    await childIsGone;
    server.close();
  });
});

/** Starts a child that keeps a connection to the test, and sends its own process id over it. */
const parentScript = `
  import { startChild } from ${JSON.stringify(childModule)};
  const connect = 'require("net").connect(process.argv[1], "127.0.0.1").write(String(process.pid))';
  startChild({
    program: process.execPath,
    args: ["--eval", connect, process.argv[1]],
    directory: ".",
    environment: process.env,
    onLine: () => undefined,
  });
`;

function byName(a: string, b: string): number {
  return a < b ? -1 : 1;
}
