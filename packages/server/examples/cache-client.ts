/**
 * A client of the binary protocol in a page: `make runset` and `make runget`.
 *
 *   node packages/server/examples/cache-client.ts set 2221    sets K_0 to K_9, two at a time
 *   node packages/server/examples/cache-client.ts get 2222    gets them, one after the other
 *
 * Ends with 1 if anything was not done. Lengths and times are 32 bits, little-endian. Replies come in the order of
 * the commands.
 */
import { once } from "node:events";
import net, { type Socket } from "node:net";

const keys = Array.from({ length: 10 }, (_, at) => ({ key: `K_${String(at)}`, value: `V_${String(at)}` }));
const statuses = ["none", "ok", "error", "key not found"];
/** What starts the member on a port. */
const targets: Readonly<Record<string, string>> = {
  2221: "make run",
  2222: "make runfollower1",
  2223: "make runfollower2",
};

const [, , command = "", port = ""] = process.argv;
if (!["set", "get"].includes(command) || !/^\d+$/.test(port)) {
  process.stderr.write("write set or get, and a port of this machine\n");
  process.exit(2);
}

try {
  const socket = net.connect(Number(port), "127.0.0.1");
  await once(socket, "connect");
  print("conntected successfully..");
  await (command === "set" ? setAll(socket) : getAll(socket));
  socket.end();
} catch (error) {
  process.stderr.write(`${reasonOf(error)}\n`);
  process.exitCode = 1;
}

async function setAll(to: Socket): Promise<void> {
  for (let at = 0; at < keys.length; at += 2) {
    const pair = keys.slice(at, at + 2);
    for (const { key, value } of pair) {
      to.write(Buffer.concat([Buffer.of(1), sized(key), sized(value), int32(0)]));
      print("setting...");
    }
    for (const _ of pair) {
      const status = (await read(to, 1)).readUInt8();
      print("received:");
      print(status === 1 ? "set Sucessfully" : failed(`not set: ${statuses[status] ?? "unknown status"}`));
    }
  }
}

async function getAll(to: Socket): Promise<void> {
  for (const { key } of keys) {
    to.write(Buffer.concat([Buffer.of(2), sized(key)]));
    const head = await read(to, 5);
    const status = head.readUInt8();
    const value = await read(to, head.readInt32LE(1));
    print(
      status === 1
        ? `Get Sucessfully val: ${value.toString()}`
        : failed(`${key}: ${statuses[status] ?? "unknown status"}`),
    );
  }
}

function sized(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([int32(bytes.length), bytes]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

/** Exactly so many bytes. */
async function read(from: Socket, bytes: number): Promise<Buffer> {
  if (bytes === 0) return Buffer.alloc(0);
  for (;;) {
    const chunk = from.read(bytes) as Buffer | null;
    if (chunk !== null && chunk.length === bytes) return chunk;
    if (from.readableEnded) throw new Error("the member has closed the connection");
    await once(from, "readable");
  }
}

/** The line, of which whoever started this shall know as well. */
function failed(line: string): string {
  process.exitCode = 1;
  return line;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!("code" in error && error.code === "ECONNREFUSED")) return error.message;
  const start = targets[port];
  return `nothing listens on 127.0.0.1:${port}${start === undefined ? "" : `: start it with ${start}`}`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
