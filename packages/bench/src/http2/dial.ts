import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { nowMs } from "../platform/clock.ts";
import { Connection } from "./connection.ts";

const readBufferBytes = 256 * 1024;

/** Where a server is and how to speak to it. */
export interface Target {
  readonly host: string;
  readonly port: number;
  /** PEM of the authority that signed the server's certificate; undefined speaks cleartext. */
  readonly ca: string | undefined;
}

/** A connection over a real socket. */
export interface Dialled {
  readonly connection: Connection;
  /** Settles when the socket is gone, whoever closed it. */
  readonly closed: Promise<void>;
  readonly close: () => void;
}

/** Connects and waits for the server's settings; rejects when either fails. Aborting closes at any time. */
export async function dial(target: Target, signal: AbortSignal): Promise<Dialled> {
  const { host, port, ca } = target;
  const where = `${host}:${port}`;
  // One buffer for all reads of a cleartext socket: what arrives is handled before the next read.
  const onread = {
    buffer: Buffer.allocUnsafeSlow(readBufferBytes),
    callback: (bytes: number, buffer: Uint8Array): boolean => {
      receive(Buffer.from(buffer.buffer, buffer.byteOffset, bytes));
      return true;
    },
  };
  const socket =
    ca === undefined
      ? connectTcp({ host, port, noDelay: true, onread })
      : connectTls({ host, port, ca, ALPNProtocols: ["h2"] }).setNoDelay(true);
  const ready = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const connection = new Connection({
    write: (bytes) => void socket.write(bytes),
    onReady: ready.resolve,
    nowMs,
  });
  const receive = (chunk: Buffer): void => {
    try {
      connection.accept(chunk);
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  };
  if (ca !== undefined) socket.on("data", receive);
  let failure = "connection closed by the server";
  socket.on("error", (error: Error) => {
    failure = `connection failed: ${error.message}`;
  });
  socket.on("close", () => {
    connection.end(failure);
    ready.reject(new Error(`${where}: ${failure}`));
    closed.resolve();
  });
  const abort = (): void => void socket.destroy(new Error("no answer in time"));
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  await ready.promise;
  return {
    connection,
    closed: closed.promise,
    close: () => {
      connection.sayGoodbye();
      socket.end();
    },
  };
}
