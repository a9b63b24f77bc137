/** A port with the text or the binary protocol in front of a member in memory, and clients that speak in bytes. */
import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type Socket } from "node:net";
import type { TestContext } from "node:test";
import { pino } from "pino";
import { createBinaryDoor } from "../../src/api/binary/door.ts";
import { streamLimits, type StreamLimits } from "../../src/api/stream/door.ts";
import { Room } from "../../src/api/stream/room.ts";
import { createTextDoor } from "../../src/api/text/door.ts";
import { createStreamListener } from "../../src/listener/stream-listener.ts";
import type { TlsPaths } from "../../src/platform/tls-files.ts";
import { PushedClock } from "../consensus/pushed-clock.ts";
import { MemberInMemory } from "./member-in-memory.ts";

export interface StreamPortOptions {
  readonly maxRequestBytes?: number;
  readonly isForwarded?: boolean;
  readonly limits?: Partial<StreamLimits>;
  /** Bytes for requests, and for answers, of all connections. */
  readonly roomBytes?: { readonly requests?: number; readonly answers?: number };
  readonly tls?: TlsPaths;
}

export interface StreamPort {
  readonly member: MemberInMemory;
  readonly clock: PushedClock;
  readonly port: number;
  readonly log: readonly string[];
  /** A client that is closed when the test ends. */
  connect(): Promise<StreamClient>;
  close(graceMs: number): Promise<void>;
}

const mebibyte = 2 ** 20;

export async function openStreamPort(
  t: Pick<TestContext, "after">,
  protocol: "text" | "binary",
  options: StreamPortOptions = {},
): Promise<StreamPort> {
  const member = new MemberInMemory();
  const clock = new PushedClock();
  const log: string[] = [];
  const logger = pino({ level: "info" }, { write: (line: string) => log.push(line) });
  const { maxRequestBytes = 1_572_864, isForwarded = false, roomBytes = {} } = options;
  const rooms = {
    requests: new Room(roomBytes.requests ?? 64 * mebibyte),
    answers: new Room(roomBytes.answers ?? 64 * mebibyte),
  };
  const limits = { ...streamLimits, ...options.limits };
  const deps = { member, clock, logger, rooms };
  const door =
    protocol === "text"
      ? createTextDoor({ maxRequestBytes, isForwarded, limits }, deps)
      : createBinaryDoor({ maxRequestBytes, limits }, deps);
  const listener = createStreamListener(
    { address: { host: "127.0.0.1", port: 0 }, callers: "clients of the text protocol", tls: options.tls },
    { clock, logger, serve: (socket) => door.serve(socket) },
  );
  await listener.start();
  const { port } = listener;
  t.after(() => listener.close(0));
  return {
    member,
    clock,
    port,
    log,
    async connect() {
      const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
      await once(socket, "connect");
      const client = new StreamClient(socket);
      t.after(() => client.destroy());
      return client;
    },
    close: (graceMs) => listener.close(graceMs),
  };
}

/** Sends bytes and waits for bytes. What it has read of the answers is gone. */
export class StreamClient {
  readonly socket: Socket;
  #pieces: Buffer[] = [];
  #receivedBytes = 0;
  #hasEnd = false;
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (piece: Buffer) => {
      this.#pieces.push(piece);
      this.#receivedBytes += piece.length;
      this.#wake();
    });
    const end = (): void => {
      this.#hasEnd = true;
      this.#wake();
    };
    socket.on("end", end);
    socket.on("close", end);
    socket.on("error", end);
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  }

  /** Resolves when the bytes are handed to the kernel: what is sent later is another segment. */
  async sendApart(bytes: string | Uint8Array): Promise<void> {
    await new Promise<void>((resolve) => {
      this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes, () => {
        resolve();
      });
    });
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** The next so many bytes. Rejects if the connection ends before. */
  async bytes(count: number): Promise<Buffer> {
    while (this.#receivedBytes < count) {
      if (this.#hasEnd) assert.fail(`the connection has ended behind ${this.#received().toString()}`);
      await this.#more();
    }
    const received = this.#received();
    this.#pieces = [received.subarray(count)];
    this.#receivedBytes -= count;
    return received.subarray(0, count);
  }

  /** The next so many lines, with their ends. */
  async lines(count: number): Promise<string> {
    let text = "";
    for (let line = 0; line < count; line += 1) {
      while (!this.#received().includes(0x0a)) {
        if (this.#hasEnd) assert.fail(`the connection has ended behind ${text}`);
        await this.#more();
      }
      text += (await this.bytes(this.#received().indexOf(0x0a) + 1)).toString("latin1");
    }
    return text;
  }

  /** Everything that comes until the server ends its side. */
  async rest(): Promise<Buffer> {
    while (!this.#hasEnd) await this.#more();
    return this.bytes(this.#receivedBytes);
  }

  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  #received(): Buffer {
    const [only, ...others] = this.#pieces;
    const received = only !== undefined && others.length === 0 ? only : Buffer.concat(this.#pieces);
    this.#pieces = [received];
    return received;
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** Resolves when it is so; looks again each time the process has nothing else to do. */
export async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/**
 * Resolves when whatever is under way in this process has had many turns, for what ought not to happen: on a
 * slow machine a time alone may pass without any.
 */
export async function moment(): Promise<void> {
  for (let turn = 0; turn < 25; turn += 1) await new Promise((resolve) => setTimeout(resolve, 4));
}
