import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type Socket } from "node:net";
import { test } from "node:test";
import { dkvDoors } from "../../src/systems/dkv-doors.ts";
import { runLoad } from "../../src/workload/load.ts";
import type { Measurement } from "../../src/workload/recorder.ts";
import type { DoorName } from "../../src/workload/socket-method.ts";
import { Data } from "../../src/workload/work.ts";

const valueBytes = 20;
const keyBytes = 16;
const inFlight = 10;
const headBytes = Buffer.byteLength(`set ${"k".repeat(keyBytes)} 0 ${valueBytes}\r\n`);
/** Of a whole set, in each protocol. */
const commandBytes = {
  text: headBytes + valueBytes + 2,
  binary: 1 + 4 + keyBytes + 4 + valueBytes + 4,
};

/** Takes one command; its answer, undefined to end the connection. */
type Answer = (command: Buffer, socket: Socket) => string | undefined;

async function load(door: DoorName, answer: Answer): Promise<Measurement> {
  const server = net.createServer({ noDelay: true }, (socket) => {
    let rest = Buffer.alloc(0);
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      const length = commandBytes[door];
      for (; rest.length >= length; rest = rest.subarray(length)) {
        const said = answer(rest.subarray(0, length), socket);
        if (said === undefined) socket.destroy();
        else socket.write(said, "latin1");
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  try {
    const recorder = await runLoad({
      method: dkvDoors[door],
      data: new Data({ keys: 50, valueBytes, seed: 7 }),
      targets: [{ host: "127.0.0.1", port, ca: undefined }],
      clients: inFlight,
      connections: 1,
      warmupMs: 50,
      measuredMs: 250,
      onMeasuring: () => undefined,
      onMeasured: () => undefined,
      signal: new AbortController().signal,
    });
    return recorder.measurement();
  } finally {
    server.close();
  }
}

test("as many commands are in flight as there are clients, and each answer makes room for one", async () => {
  const unanswered: Socket[] = [];
  let most = 0;
  const values = new Set<string>();
  const keys = new Set<string>();
  const measured = await load("binary", (command, socket) => {
    assert.equal(command[0], 1);
    keys.add(command.toString("latin1", 5, 5 + keyBytes));
    values.add(command.toString("latin1", 9 + keyBytes, 9 + keyBytes + valueBytes));
    unanswered.push(socket);
    most = Math.max(most, unanswered.length);
    setImmediate(() => unanswered.pop()?.write("\x01"));
    return "";
  });
  assert.deepEqual(measured.errorKinds, {});
  assert.ok(measured.calls > 100, `${measured.calls} calls`);
  assert.equal(most, inFlight);
  assert.ok(values.size > 50 && keys.size <= 50);
});

test("a protocol that overwrites nothing gets a new key each time, and its lines are read however they are parted", async () => {
  const keys: string[] = [];
  const measured = await load("text", (command, socket) => {
    const [, key = ""] = /^set ([0-9a-f]{16}) 0 20\r\n/.exec(command.toString("latin1")) ?? [];
    keys.push(key);
    socket.write("OK 1");
    return "7\r\n";
  });
  assert.deepEqual(measured.errorKinds, {});
  assert.ok(keys.length > 100 && !keys.includes(""));
  assert.equal(new Set(keys).size, keys.length);
});

test("a command that fails is an error, and the others go on", async () => {
  let commands = 0;
  const { calls, errorKinds } = await load("text", () => {
    commands += 1;
    return commands % 100 === 3 ? "ERR_VERSION\r\n" : "OK 1\r\n";
  });
  assert.ok(calls > 100, `${calls} calls`);
  assert.deepEqual(Object.keys(errorKinds), ["ERR_VERSION"]);
});

test("a connection that is lost fails all that was open on it, and is made again", async () => {
  let commands = 0;
  const { calls, errors } = await load("binary", () => {
    commands += 1;
    return commands === 1 ? undefined : "\x01";
  });
  assert.ok(calls > 100, `${calls} calls`);
  assert.equal(errors, inFlight);
});

test("an answer that nobody asked for is an error", async () => {
  const { errorKinds } = await load("binary", () => "\x01".repeat(2 * inFlight));
  assert.ok(Object.keys(errorKinds).includes("an answer to no command"), JSON.stringify(errorKinds));
});
