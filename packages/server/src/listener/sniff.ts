import type { Socket } from "node:net";
import type { Clock } from "../platform/clock.ts";

export type HttpVersion = "http1" | "http2";

/** Every HTTP/2 connection begins so (RFC 9113 §3.4), and no method of HTTP/1.1 does. */
const http2Opening = Buffer.from("PRI ");

/**
 * Looks at what a client says first, without consuming it, and reports which HTTP it speaks. Reports
 * nothing, and closes the connection, if the client ends or breaks it, or has not said enough in time.
 */
export function sniff(
  socket: Socket,
  { clock, timeoutMs }: { readonly clock: Clock; readonly timeoutMs: number },
  report: (version: HttpVersion) => void,
): void {
  let seen: Buffer = Buffer.alloc(0);

  const onReadable = (): void => {
    const chunk: Buffer | null = socket.read();
    if (chunk === null) return;
    seen = Buffer.concat([seen, chunk]);
    const compared = seen.subarray(0, http2Opening.length);
    const looksLikeHttp2 = compared.equals(http2Opening.subarray(0, compared.length));
    if (looksLikeHttp2 && compared.length < http2Opening.length) return;
    stop();
    socket.unshift(seen);
    report(looksLikeHttp2 ? "http2" : "http1");
  };
  const onEnd = (): void => {
    stop();
    socket.destroy();
  };
  const cancelTimeout = clock.after(timeoutMs, onEnd);
  const stop = (): void => {
    cancelTimeout();
    socket.off("readable", onReadable);
    socket.off("end", onEnd);
    socket.off("close", onEnd);
  };
  socket.on("readable", onReadable);
  socket.on("end", onEnd);
  socket.on("close", onEnd);
}
