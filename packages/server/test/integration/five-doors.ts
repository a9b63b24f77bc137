/** Clients of a member's five doors, each in a few lines, as somebody would write them who knows the protocol only. */
import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type Socket } from "node:net";
import type { DkvClient } from "@dkv/client";
import type { StreamClient } from "../api/stream-port.ts";

export interface DoorPorts {
  /** Of gRPC, Connect and queries. */
  readonly client: number;
  readonly text: number;
  readonly binary: number;
}

export interface DoorClient {
  /** @param ttlSeconds whole ones; 0, or left out, for a key that stays */
  set(key: string, value: Uint8Array, ttlSeconds?: number): Promise<void>;
  /** Undefined if there is no such key. */
  get(key: string): Promise<Buffer | undefined>;
}

export const doorNames = ["gRPC", "Connect", "text", "binary", "query"] as const;
export type DoorName = (typeof doorNames)[number];

/** @param grpc a client of this member */
export function doorsOf(ports: DoorPorts, grpc: DkvClient): Readonly<Record<DoorName, DoorClient>> {
  return {
    gRPC: {
      set: async (key, value, ttlSeconds = 0) =>
        void (await grpc.set(key, value, ttlSeconds === 0 ? {} : { ttlSeconds })),
      get: async (key) => asBuffer((await grpc.get(key))?.value),
    },
    Connect: connectDoor(ports.client),
    text: textDoor(ports.text),
    binary: binaryDoor(ports.binary),
    query: queryDoor(ports.client),
  };
}

const asBuffer = (bytes: Uint8Array | undefined): Buffer | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes);

function connectDoor(port: number): DoorClient {
  const call = (method: string, request: object): Promise<Response> =>
    fetch(`http://localhost:${String(port)}/dkv.v1.DkvAPI/${method}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(request),
    });
  return {
    async set(key, value, ttlSeconds = 0) {
      const answer = await call("Set", { key, value: Buffer.from(value).toString("base64"), ttlSeconds });
      assert.equal(answer.status, 200, await answer.text());
    },
    async get(key) {
      const answer = await call("Get", { key });
      if (answer.status === 404) return undefined;
      const { value = "" } = (await answer.json()) as { value?: string };
      return Buffer.from(value, "base64");
    },
  };
}

/** Everything but letters and digits is escaped. */
export function escaped(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex").replaceAll(/../g, "%$&");
}

function queryDoor(port: number): DoorClient {
  const ask = (path: string): Promise<Response> => fetch(`http://localhost:${String(port)}${path}&strict=1`);
  return {
    async set(key, value, ttlSeconds = 0) {
      const entry = `key=${escaped(Buffer.from(key))}&value=${escaped(value)}`;
      const answer = await ask(`/set?${entry}&ttl=${String(ttlSeconds)}`);
      assert.equal(await answer.text(), "ok\n");
    },
    async get(key) {
      const answer = await ask(`/get?key=${escaped(Buffer.from(key))}`);
      const body = Buffer.from(await answer.arrayBuffer());
      return answer.status === 404 ? undefined : body.subarray(0, -1);
    },
  };
}

/** Sends a command of the text protocol, and resolves to the first line of the answer and what is to follow it. */
export async function askText(
  port: number,
  command: string | Uint8Array,
  following: (line: string) => number = () => 0,
): Promise<{ readonly line: string; readonly rest: Buffer }> {
  return onConnection(port, async (socket) => {
    socket.write(command);
    let answer = Buffer.alloc(0);
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      answer = Buffer.concat([answer, chunk]);
      const end = answer.indexOf("\r\n");
      const line = answer.toString("latin1", 0, Math.max(0, end));
      const from = end + 2;
      if (end >= 0 && answer.length >= from + following(line)) return { line, rest: answer.subarray(from) };
    }
    return assert.fail(`the connection has ended behind ${answer.toString("latin1")}`);
  });
}

function textSet(key: string, value: Uint8Array, ttlSeconds = 0): Buffer {
  const line = `set ${key} ${String(ttlSeconds)} ${String(value.length)}\r\n`;
  return Buffer.concat([Buffer.from(line), value, Buffer.from("\r\n")]);
}

function binarySet(key: string, value: Uint8Array, ttlSeconds = 0): Buffer {
  return Buffer.concat([Buffer.of(1), sized(Buffer.from(key)), sized(value), int32(ttlSeconds)]);
}

export const pipelinedNames = ["text", "binary"] as const;
export type Pipelined = (typeof pipelinedNames)[number];

/** Sets that are sent without waiting, and whether the next answer says that one is done. */
interface Pipeline {
  readonly command: (key: string, value: Uint8Array) => Buffer;
  readonly answer: (client: StreamClient) => Promise<boolean>;
}

export const pipelines: Readonly<Record<Pipelined, Pipeline>> = {
  text: { command: textSet, answer: async (client) => (await client.lines(1)).startsWith("OK ") },
  binary: { command: binarySet, answer: async (client) => (await client.bytes(1))[0] === 1 },
};

function textDoor(port: number): DoorClient {
  return {
    async set(key, value, ttlSeconds = 0) {
      const { line } = await askText(port, textSet(key, value, ttlSeconds));
      assert.match(line, /^OK \d+$/);
    },
    async get(key) {
      const lengthIn = (line: string): number => Number(/^VALUE (\d+)$/.exec(line)?.[1] ?? -2);
      const { line, rest } = await askText(port, `get ${key}\r\n`, (first) => lengthIn(first) + 2);
      return line === "ERR_NOT_FOUND" ? undefined : rest.subarray(0, lengthIn(line));
    },
  };
}

/** Sends a command of the binary protocol, and resolves to so many bytes of its reply. */
export async function askBinary(
  port: number,
  command: Uint8Array,
  bytes: (sofar: Buffer) => number,
): Promise<Buffer> {
  return onConnection(port, async (socket) => {
    socket.write(command);
    let reply = Buffer.alloc(0);
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      reply = Buffer.concat([reply, chunk]);
      if (reply.length >= bytes(reply)) return reply;
    }
    return assert.fail(`the connection has ended behind ${reply.toString("hex")}`);
  });
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

export function sized(bytes: Uint8Array): Buffer {
  return Buffer.concat([int32(bytes.length), bytes]);
}

function binaryDoor(port: number): DoorClient {
  return {
    async set(key, value, ttlSeconds = 0) {
      assert.deepEqual(await askBinary(port, binarySet(key, value, ttlSeconds), () => 1), Buffer.of(1));
    },
    async get(key) {
      const command = Buffer.concat([Buffer.of(2), sized(Buffer.from(key))]);
      const reply = await askBinary(port, command, (sofar) =>
        sofar.length < 5 ? 5 : 5 + sofar.readInt32LE(1),
      );
      return reply.readUInt8() === 3 ? undefined : reply.subarray(5);
    },
  };
}

export async function onConnection<Result>(
  port: number,
  talk: (socket: Socket) => Promise<Result>,
): Promise<Result> {
  const socket = net.connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return await talk(socket);
  } finally {
    socket.destroy();
  }
}
