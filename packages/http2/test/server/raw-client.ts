import { once } from "node:events";
import net, { type Socket } from "node:net";
import type { TestContext } from "node:test";
import {
  Backlog,
  encodeHeaderBlock,
  FrameReader,
  frame,
  frameFlag,
  frameType,
  goAwayFrame,
  type Header,
  preface,
  type Receiver,
  type RequestHandler,
  type ServerStream,
  type SessionLimits,
  defaultSessionLimits,
  Session,
  settingsFrame,
} from "../../src/index.ts";

export interface Seen {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

const clock = {
  nowMs: () => performance.now(),
  after(delayMs: number, callback: () => void) {
    const timer = setTimeout(callback, delayMs);
    return () => {
      clearTimeout(timer);
    };
  },
};

/** A session behind a real socket. */
export interface Served {
  readonly port: number;
  readonly sessions: readonly Session[];
  readonly sockets: ReadonlySet<Socket>;
  /** Why sessions broke. */
  readonly broken: readonly Error[];
}

export async function serve(
  t: Pick<TestContext, "after">,
  handler: RequestHandler,
  { backlogBytes = 2 ** 30, ...limits }: Partial<SessionLimits> & { readonly backlogBytes?: number } = {},
): Promise<Served> {
  const backlog = new Backlog(backlogBytes);
  const sessions: Session[] = [];
  const broken: Error[] = [];
  const sockets = new Set<Socket>();
  const server = net.createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    const deps = { clock, handler, backlog, limits: { ...defaultSessionLimits, ...limits } };
    sessions.push(new Session(socket, { ...deps, onBroken: (error) => broken.push(error) }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the server listens");
  return { port: address.port, sessions, sockets, broken };
}

/** A client that sends whatever a test wants, and remembers what it was told. */
export class RawClient {
  readonly socket: Socket;
  readonly seen: Seen[] = [];
  isClosed = false;
  #wake: () => void = () => undefined;

  constructor(port: number) {
    this.socket = net.connect(port, "127.0.0.1");
    const reader = new FrameReader(({ type, flags, streamId, source, start, end }) => {
      this.seen.push({ type, flags, streamId, payload: Buffer.from(source.subarray(start, end)) });
    });
    this.socket.on("data", (chunk: Buffer) => {
      reader.accept(chunk);
      this.#wake();
    });
    this.socket.on("error", () => undefined);
    this.socket.on("close", () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  send(...frames: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** Waits until something holds, and returns it. Rejects if the connection ends before. */
  async until<Fact>(find: () => Fact | undefined): Promise<Fact> {
    for (;;) {
      const fact = find();
      if (fact !== undefined) return fact;
      if (this.isClosed) throw new Error("the connection has ended");
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The first frame of a kind, of one stream if that is given. */
  frame(type: number, streamId?: number): Promise<Seen> {
    return this.until(() =>
      this.seen.find((each) => each.type === type && (streamId === undefined || each.streamId === streamId)),
    );
  }

  /** The code with which a stream was reset. */
  async resetCode(streamId: number): Promise<number> {
    return (await this.frame(frameType.resetStream, streamId)).payload.readUInt32BE(0);
  }

  /** The code with which the connection was ended, once it is closed. */
  async goAwayCode(): Promise<number> {
    const code = (await this.frame(frameType.goAway)).payload.readUInt32BE(4);
    if (!this.isClosed) await once(this.socket, "close");
    return code;
  }

  bytesOf(streamId: number): number {
    return this.seen
      .filter((each) => each.type === frameType.data && each.streamId === streamId)
      .reduce((sum, { payload }) => sum + payload.length, 0);
  }

  /** Resolves when the server has handled all that was sent before. */
  async settle(): Promise<void> {
    const before = this.seen.filter(isPong).length;
    this.send(frame({ type: frameType.ping, flags: 0, streamId: 0 }, Buffer.alloc(8)));
    await this.until(() => (this.seen.filter(isPong).length > before ? true : undefined));
  }
}

function isPong({ type, flags }: Seen): boolean {
  return type === frameType.ping && flags === frameFlag.ack;
}

/** A client that has said the usual first words. */
export function connect(
  t: Pick<TestContext, "after">,
  port: number,
  settings: readonly (readonly [number, number])[] = [],
): RawClient {
  const client = new RawClient(port);
  t.after(() => client.socket.destroy());
  client.send(preface, settingsFrame(settings));
  return client;
}

export const post: readonly Header[] = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/echo"],
  [":authority", "test"],
];

export function headers(
  streamId: number,
  fields: readonly Header[] = post,
  flags: number = frameFlag.endHeaders,
): Buffer {
  return frame({ type: frameType.headers, flags, streamId }, encodeHeaderBlock(fields));
}

export function data(streamId: number, bytes: Uint8Array | string, flags = 0): Buffer {
  return frame({ type: frameType.data, flags, streamId }, Buffer.from(bytes));
}

export const endStream: number = frameFlag.endStream;
export const endBoth: number = frameFlag.endStream | frameFlag.endHeaders;
export { goAwayFrame };

export const okBlock = encodeHeaderBlock([[":status", "200"]]);
export const trailerBlock = encodeHeaderBlock([["done", "yes"]]);

/** Answers with the body that was sent. */
export const echo: RequestHandler = (stream) => new Echo(stream);

class Echo implements Receiver {
  readonly #stream: ServerStream;
  readonly #chunks: Buffer[] = [];

  constructor(stream: ServerStream) {
    this.#stream = stream;
  }

  onData(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#stream.release(chunk.length);
  }

  onEnd(last: Buffer): void {
    const body = Buffer.concat([...this.#chunks, last]);
    this.#stream.answer({ headers: okBlock, body, trailers: trailerBlock });
  }

  onAbort(): void {}

  onDrain(): void {}
}

/** Answers nothing, and remembers what happens. */
export class Silent {
  readonly streams: ServerStream[] = [];
  readonly events: string[] = [];

  readonly handler: RequestHandler = (stream) => {
    this.streams.push(stream);
    return {
      onData: (chunk) => this.events.push(`data ${String(chunk.length)}`),
      onEnd: (last) => this.events.push(`end ${String(last.length)}`),
      onAbort: () => this.events.push("abort"),
      onDrain: () => this.events.push("drain"),
    };
  };
}
