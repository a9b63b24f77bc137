import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Target } from "../http2/dial.ts";

/** A connection on which a protocol is spoken from the first byte on. */
export interface DialledSocket {
  /** Says where what comes goes from now on. `onEnd` is called once, at once if it has ended already. */
  readonly serve: (handlers: SocketHandlers) => void;
  /** Takes the bytes over. */
  readonly write: (bytes: Buffer) => void;
  readonly close: () => void;
}

export interface SocketHandlers {
  readonly onData: (chunk: Buffer) => void;
  readonly onEnd: (reason: string) => void;
}

/** Rejects if it cannot be made. Aborting closes it at any time. */
export async function dialSocket({ host, port, ca }: Target, signal: AbortSignal): Promise<DialledSocket> {
  const socket =
    ca === undefined
      ? connectTcp({ host, port, noDelay: true })
      : connectTls({ host, port, ca }).setNoDelay(true);
  const ready = Promise.withResolvers<void>();
  let failure = "connection closed by the server";
  let hasEnded = false;
  let served: SocketHandlers | undefined;
  socket.once(ca === undefined ? "connect" : "secureConnect", ready.resolve);
  socket.on("error", (error: Error) => {
    failure = `connection failed: ${error.message}`;
  });
  socket.on("close", () => {
    hasEnded = true;
    ready.reject(new Error(`${host}:${port}: ${failure}`));
    served?.onEnd(failure);
  });
  const abort = (): void => void socket.destroy(new Error("no answer in time"));
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  await ready.promise;
  return {
    serve: (handlers) => {
      served = handlers;
      if (hasEnded) handlers.onEnd(failure);
      else socket.on("data", handlers.onData);
    },
    write: (bytes) => void socket.write(bytes),
    close: () => {
      served = undefined;
      socket.end();
    },
  };
}
