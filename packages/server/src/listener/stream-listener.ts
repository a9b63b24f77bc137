/** A port on which clients speak a protocol of their own from the first byte on. */
import type { Socket } from "node:net";
import { type ClientListener, createPort, type PortDeps, type PortOptions } from "./port.ts";

/** One connection that is being served. */
export interface ServedStream {
  /** Takes no more commands, and ends the connection once those that were taken are answered. */
  drain(): void;
}

export interface StreamListenerDeps extends PortDeps {
  /** Serves a connection that has said nothing yet. Clients may end their side and still get answers. */
  readonly serve: (socket: Socket) => ServedStream;
}

/** It does nothing until it is started. */
export function createStreamListener(
  options: PortOptions,
  { serve, ...deps }: StreamListenerDeps,
): ClientListener {
  const served = new Map<Socket, ServedStream>();
  const service = {
    allowHalfOpen: true,
    serve(socket: Socket): void {
      served.set(socket, serve(socket));
      socket.once("close", () => served.delete(socket));
    },
    dismiss(socket: Socket): void {
      served.get(socket)?.drain();
    },
    drain(): void {
      for (const each of served.values()) each.drain();
    },
  };
  return createPort(options, service, deps);
}
